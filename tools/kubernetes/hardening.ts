import type { Pod } from "./manifest.ts";

/** What a pod may do that it need not, and what it lacks of what every pod has. */
export function hardeningFaults({ serves, spec, container }: Pod): string[] {
  const { securityContext: pod = {}, terminationGracePeriodSeconds } = spec;
  const { securityContext: own = {}, resources = {}, lifecycle } = container;
  const rules: readonly (readonly [holds: boolean, rule: string])[] = [
    [spec.containers.length === 1 && spec.initContainers === undefined, "has one container"],
    [pod.runAsNonRoot === true, "securityContext.runAsNonRoot is true"],
    [(pod.runAsUser ?? 0) > 0, "securityContext.runAsUser is that of the image, by its number"],
    [pod.seccompProfile?.type === "RuntimeDefault", "securityContext.seccompProfile is RuntimeDefault"],
    [spec.automountServiceAccountToken === false, "automountServiceAccountToken is false"],
    [spec.enableServiceLinks === false, "enableServiceLinks is false"],
    [own.allowPrivilegeEscalation === false, "securityContext.allowPrivilegeEscalation of the container is false"],
    [own.readOnlyRootFilesystem === true, "securityContext.readOnlyRootFilesystem of the container is true"],
    [`${own.capabilities?.drop}` === "ALL" && own.capabilities?.add === undefined, "capabilities are dropped, ALL"],
    [own.privileged !== true && own.runAsUser === undefined, "the container has no privileges of its own"],
    [hasAmounts(resources.requests) && hasAmounts(resources.limits), "requests and limits name cpu and memory"],
    [!serves || terminationGracePeriodSeconds === 30, "terminationGracePeriodSeconds is 30"],
    [!serves || lifecycle?.preStop !== undefined, "preStop waits"],
  ];
  return rules.filter(([holds]) => !holds).map(([, rule]) => `not so: ${rule}`);
}

function hasAmounts(amounts: object = {}): boolean {
  return "cpu" in amounts && "memory" in amounts;
}
