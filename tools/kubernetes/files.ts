/** What the files of Kubernetes have to say of a service. */
export interface KubernetesService {
  readonly name: string;
  readonly port: number;
  /** The services that it has to reach. */
  readonly reaches: readonly string[];
  /** Whether it has data of its own. */
  readonly hasStore: boolean;
}

/** base/services/NAME.yaml: a service's Deployment, its address, and who may speak with whom. */
export function serviceFile(service: KubernetesService, all: readonly KubernetesService[]): string {
  return [GENERATED, deployment(service), address(service), policy(service, all)].join("---\n");
}

/** overlays/scale/services.yaml: how many there are of each. */
export function scaleFile(all: readonly KubernetesService[]): string {
  return [GENERATED, ...all.flatMap(({ name }) => [autoscaler(name), budget(name)])].join("---\n");
}

/** base/settings.env with the address of each module; what else is in it stays. */
export function withAddresses(text: string, all: readonly KubernetesService[]): string {
  const modules = all.filter(({ hasStore }) => hasStore);
  const lines = modules.map(({ name, port }) => `${name.toUpperCase()}_URL=http://${name}:${port}\n`);
  return text.replace(/(^\w+_URL=http:.*\n)+/m, lines.join(""));
}

/** base/kustomization.yaml with the file of each service; what else is in it stays. */
export function withServiceFiles(text: string, all: readonly KubernetesService[]): string {
  const lines = all.map(({ name }) => `  - services/${name}.yaml\n`);
  return text.replace(/(?<=# of each service\n)( {2}- services\/\w+\.yaml\n)+/, lines.join(""));
}

const GENERATED = "# Follows from src/runtime/modules.ts: npm run generate\n";

/** A gateway is ready when it serves: it is to answer for the modules that are there while another is not. */
function deployment({ name, port, hasStore }: KubernetesService): string {
  const maps = hasStore ? ["quartet-settings", "quartet-database"] : ["quartet-settings"];
  const mounts = `
          volumeMounts:
            - name: database
              mountPath: /run/secrets/database
              readOnly: true
      volumes:
        - name: database
          secret:
            secretName: quartet-database
            defaultMode: 0440`;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: ${labels(name)}
spec:
  selector:
    matchLabels: ${chosen(name)}
  strategy:
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels: ${labels(name)}
    spec:
      containers:
        - name: quartet
          image: quartet
          env:
            - name: SERVE
              value: ${name}
          envFrom:${maps.map((map) => `\n            - configMapRef:\n                name: ${map}`).join("")}
          ports:
            - name: http
              containerPort: ${port}
          readinessProbe:
            httpGet:
              path: ${hasStore ? "/readyz" : "/livez"}
              port: http${hasStore ? mounts : ""}
`;
}

/** The name of a module stands for all its pods, among which its callers choose for themselves; that of the gateway for any of them. */
function address({ name, port, hasStore }: KubernetesService): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels: ${labels(name)}
spec:${hasStore ? "\n  clusterIP: None" : ""}
  selector: ${chosen(name)}
  ports:
    - name: http
      port: ${hasStore ? port : 80}
      targetPort: http
`;
}

function policy({ name, port, reaches, hasStore }: KubernetesService, all: readonly KubernetesService[]): string {
  const callers = all.filter((other) => other.reaches.includes(name)).map((other) => other.name);
  const reached = all.filter((other) => reaches.includes(other.name));
  const from = hasStore ? peers("from", callers) : "";
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${name}
  labels: ${labels(name)}
spec:
  podSelector:
    matchLabels: ${chosen(name)}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - port: ${port}${from}
  egress:${reached.length === 0 ? " []" : reached.map((other) => rule(other)).join("")}
`;
}

function rule({ name, port }: KubernetesService): string {
  return `
    - ports:
        - port: ${port}${peers("to", [name])}`;
}

function peers(way: "from" | "to", names: readonly string[]): string {
  const selectors = names.map(
    (name) => `
        - podSelector:
            matchLabels: ${chosen(name)}`,
  );
  return `\n      ${way}:${selectors.join("")}`;
}

function autoscaler(name: string): string {
  return `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: ${name}
  labels: ${labels(name)}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: ${name}
  minReplicas: 2
  maxReplicas: 4
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 70
`;
}

function budget(name: string): string {
  return `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: ${name}
  labels: ${labels(name)}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: ${chosen(name)}
`;
}

function chosen(name: string): string {
  return `{ app.kubernetes.io/name: ${name}, app.kubernetes.io/part-of: quartet }`;
}

const labels = chosen;
