import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { manifestFaults } from "../../tools/kubernetes/check.ts";
import { scaleFile, serviceFile, withAddresses, withServiceFiles } from "../../tools/kubernetes/files.ts";
import { missingKubectl, render } from "../../tools/kubernetes/render.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string) => readFileSync(`${root}/deploy/kubernetes/${name}`, "utf8");

/** Each is our shop with one mistake: what has to be told of it, and of nothing else. */
const MISTAKES = {
  "unknown-field": "Deployment/products: /spec/template/spec/containers/0/livenessProb: there is no such field",
  "wrong-type": 'Deployment/products: /spec/template/spec/containers/0/ports/0/containerPort: type {"type":"integer"}',
  "wrong-port": "Deployment/gateway: ORDERS_URL=http://orders:8003: orders is not there",
  "nobody-listens": "Deployment/users: has the port 8002, and users listens at 8001",
  "wrong-variable": "Deployment/users: LOG_LEVLE: there is no such setting",
  "wrong-value": "Deployment/users: TRUSTED_PROXIES=all: expected a whole number from 0 to 10",
  "wrong-name": "HorizontalPodAutoscaler/orders: there is no Deployment/order",
  "wrong-command": "Job/migrate: runs node bin/main.js migrat, and there is no such command",
  "no-secret": "StatefulSet/shop: ADMIN_PASSWORD_FILE=/run/secrets/admin/password: nothing is mounted there",
  "no-volume": "StatefulSet/shop: users,products,orders would be in /data, and nothing is mounted there",
  "no-security-context": "Deployment/gateway: not so: securityContext.readOnlyRootFilesystem of the container is true",
  "asks-neighbours": "Deployment/gateway: readinessProbe asks for /readyz, and is to ask for /livez",
  "way-closed": "Deployment/orders: may not speak with Deployment/users, and has to",
  "sentinels-closed": "Deployment/orders: may not speak with the sentinels of Redis at port 26379, and has to",
  "way-open": "Deployment/products: may speak with Deployment/orders, and need not",
} as const;

describe("the files of Kubernetes", () => {
  const missing = missingKubectl();
  for (const folder of ["base", "overlays/one", "overlays/scale"]) {
    it(`${folder} comes to objects in which nothing is wrong`, async function () {
      if (missing !== undefined) this.skip();
      const manifests = render(`${root}/deploy/kubernetes/${folder}`);
      expect(manifests).to.have.length.above(3);
      expect(await manifestFaults(manifests)).to.deep.equal([]);
    });
  }

  it("may name sentinels, whose port is opened then", async function () {
    if (missing !== undefined) this.skip();
    expect(await manifestFaults(render(`${root}/test/fixtures/kubernetes/sentinels`))).to.deep.equal([]);
  });

  for (const [mistake, told] of Object.entries(MISTAKES)) {
    it(`${mistake} is found`, async function () {
      if (missing !== undefined) this.skip();
      expect(await manifestFaults(render(`${root}/test/fixtures/kubernetes/${mistake}`))).to.include(told);
    });
  }

  it("are left out of the check where there is no kubectl, which says so", () => {
    const env = { PATH: dirname(process.execPath) };
    const { status, stdout } = spawnSync(process.execPath, ["tools/kubernetes.ts"], {
      cwd: root,
      env,
      encoding: "utf8",
    });
    expect(stdout).to.contain("deploy/kubernetes is not rendered here: there is no kubectl on the path");
    expect(status).to.equal(0);
  });
});

describe("the files of Kubernetes that follow from the modules", () => {
  const gateway = { name: "gateway", port: 8000, reaches: ["users", "orders"], hasStore: false };
  const users = { name: "users", port: 8001, reaches: [], hasStore: true };
  const orders = { name: "orders", port: 8002, reaches: ["users"], hasStore: true };
  const kept = [gateway, users, orders];
  const more = [...kept, { name: "shipments", port: 8003, reaches: ["orders"], hasStore: true }];

  for (const [file, make] of [
    ["base/kustomization.yaml", withServiceFiles],
    ["base/settings.env", withAddresses],
  ] as const) {
    it(`${file} loses nothing that was written by hand when a module comes and goes`, () => {
      const text = make(read(file), kept);
      const wider = make(text, more);
      expect(wider).to.contain("shipments");
      expect(make(wider, kept)).to.equal(text);
    });
  }

  it("let a module be asked by those who reach it, and ask whom it reaches", () => {
    const policyOf = (all: typeof kept) => serviceFile(orders, all).split("---\n").at(-1);
    expect(policyOf(kept)).to.equal(`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: orders
  labels: { app.kubernetes.io/name: orders, app.kubernetes.io/part-of: quartet }
spec:
  podSelector:
    matchLabels: { app.kubernetes.io/name: orders, app.kubernetes.io/part-of: quartet }
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - port: 8002
      from:
        - podSelector:
            matchLabels: { app.kubernetes.io/name: gateway, app.kubernetes.io/part-of: quartet }
  egress:
    - ports:
        - port: 8001
      to:
        - podSelector:
            matchLabels: { app.kubernetes.io/name: users, app.kubernetes.io/part-of: quartet }
`);
    expect(policyOf(more)).to.contain("app.kubernetes.io/name: shipments");
  });

  it("scale each service by itself", () => {
    const text = scaleFile(more);
    expect(text.match(/kind: HorizontalPodAutoscaler/g)).to.have.length(4);
    expect(text.match(/kind: PodDisruptionBudget/g)).to.have.length(4);
  });
});
