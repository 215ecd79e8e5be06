import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { moduleNames } from "../../src/runtime/modules.ts";
import { type Api, bodyOf, createApi, type OrderBody, register, type Session } from "../support/api.ts";
import { type ComposeProject, composeProject, docker } from "../support/compose-project.ts";
import { whyNoContainers } from "../support/containers.ts";
import { freePorts, until } from "../support/process.ts";

interface Told {
  readonly modules: readonly { readonly name: string; readonly replicas?: readonly { readonly status: string }[] }[];
}

/** So many containers keep two cores busy for a minute and more: `npm run parity` starts them. */
const define = process.env.PARITY === "full" ? describe : () => {};

define("two of each service in containers", function () {
  this.timeout(300_000);
  let folder: string;
  let project: ComposeProject;
  let gateways: readonly Api[];

  before(async function () {
    if ((await whyNoContainers()) !== undefined) return this.skip();
    folder = await mkdtemp(join(tmpdir(), "quartet-secrets-")); // which nobody else can look into
    const password = join(folder, "database-password");
    await writeFile(password, "a secret of this test\n", { mode: 0o644 });
    const files = ["docker-compose.yml", "compose.postgres.yml", "compose.scale.yml"];
    const ports = await freePorts(2);
    const settings = { PORTS: ports.join("-"), CALL_TIMEOUT: "20000", RATE_LIMIT: "off" };
    project = await composeProject(files, { DATABASE_PASSWORD_FILE: password, ...settings });
    await project.compose("up", "--build", "--wait");
    const places = await Promise.all(["1", "2"].map((n) => project.compose("port", "--index", n, "gateway", "8000")));
    gateways = places.map((place) => createApi(`http://${place}`));
  });
  after(async () => {
    await Promise.all(gateways?.map((gateway) => gateway.close()) ?? []);
    await project?.remove();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  const [first, second] = [() => gateways[0] as Api, () => gateways[1] as Api];

  /** How many of each module answer, as a gateway finds by their names. */
  async function running(at: Api): Promise<Record<string, number>> {
    const { modules } = bodyOf<Told>(await at.get("/status"));
    const found = modules.map(({ name, replicas = [] }) => {
      return [name, replicas.filter(({ status }) => status === "running").length] as const;
    });
    return Object.fromEntries(found.filter(([name]) => name !== "gateway"));
  }

  /** Places an order at one of them, as a client who repeats what has not gone through, and waits at the other until it is confirmed. */
  async function buy(product: string, buyer: Session, key: string): Promise<void> {
    let order: OrderBody | undefined;
    await until("the order is taken", async () => {
      const body = { product_id: product, quantity: 1 };
      const answer = await first().post("/orders", body, buyer.token, { "idempotency-key": key });
      if (answer.status === 201) order = bodyOf<OrderBody>(answer);
      return order !== undefined;
    });
    await until("it is confirmed", async () => {
      const { body } = await second().get(`/orders/${order?.id}`, buyer.token, { prefer: "wait=5" });
      return (body as OrderBody).status === "confirmed";
    });
  }

  it("are one shop, whose schemas were made once and whose demo data are there once", async () => {
    const both = Object.fromEntries(moduleNames.map((name) => [name, 2]));
    for (const at of [first(), second()]) {
      await until("both of each are found", async () => JSON.stringify(await running(at)) === JSON.stringify(both));
    }
    const made = await project.compose("logs", "--no-log-prefix", "migrate");
    for (const name of moduleNames) expect(made.split(`${name}: made at`), made).to.have.length(2);
    const { data } = bodyOf<{ data: { name: string }[] }>(await first().get("/products?limit=100"));
    expect(new Set(data.map(({ name }) => name)).size)
      .to.equal(data.length)
      .and.equal(12);
  });

  it("sell on when one of them is killed", async () => {
    const buyer = await register(first(), "ada");
    const { data } = bodyOf<{ data: { id: string }[] }>(await second().get("/products?limit=1"));
    const product = data[0]?.id ?? "";
    await buy(product, buyer, "before");
    const [killed = ""] = (await project.container("orders")).split("\n");
    await docker("kill", killed);
    await until("it is missed", async () => (await running(first())).orders !== 2);
    await buy(product, buyer, "after");
  });
});
