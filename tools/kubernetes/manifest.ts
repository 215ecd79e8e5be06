import type { IDeployment, IStatefulSet } from "kubernetes-models/apps/v1";
import type { IHorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import type { IJob } from "kubernetes-models/batch/v1";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1";
import type { IConfigMap, IContainer, IPodSpec, IPodTemplateSpec, IService } from "kubernetes-models/v1";

/** An object of Kubernetes as it is sent to a cluster, of one of the kinds that make a shop. */
export type Manifest =
  | IConfigMap
  | IDeployment
  | IHorizontalPodAutoscaler
  | IJob
  | INetworkPolicy
  | IPodDisruptionBudget
  | IService
  | IStatefulSet;

/** What a process of ours runs in. */
export interface Pod {
  /** That of the object it is made by. */
  readonly name: string;
  /** False for one that ends by itself. */
  readonly serves: boolean;
  readonly labels: Labels;
  readonly spec: IPodSpec;
  readonly container: IContainer;
}

export type Labels = Readonly<Record<string, string>>;

/** How pods are chosen. */
export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** How an object is called in what is told of it. */
export function nameOf({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata?.name ?? ""}`;
}

/** Those of a kind. */
export function ofKind<K extends Manifest["kind"]>(
  manifests: readonly Manifest[],
  kind: K,
): Extract<Manifest, { kind: K }>[] {
  return manifests.filter((manifest): manifest is Extract<Manifest, { kind: K }> => manifest.kind === kind);
}

/** The pods of the shop; of those that run beside it nothing is known here. */
export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests.flatMap((manifest) => {
    const template = templateOf(manifest);
    const labels = template?.metadata?.labels ?? {};
    const [container] = template?.spec?.containers ?? [];
    if (template?.spec === undefined || container === undefined) return [];
    if (labels["app.kubernetes.io/part-of"] !== "quartet") return [];
    return [{ name: nameOf(manifest), serves: manifest.kind !== "Job", labels, spec: template.spec, container }];
  });
}

/** Whether a selector chooses what has these labels; one that says nothing chooses all. */
export function chooses({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "In") return value !== undefined && values.includes(value);
      if (operator === "NotIn") return value === undefined || !values.includes(value);
      return (value !== undefined) === (operator === "Exists");
    })
  );
}

function templateOf(manifest: Manifest): IPodTemplateSpec | undefined {
  switch (manifest.kind) {
    case "Deployment":
    case "StatefulSet":
    case "Job":
      return manifest.spec?.template;
    default:
      return undefined;
  }
}
