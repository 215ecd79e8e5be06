import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { moduleNames } from "../../src/runtime/modules.ts";
import { type Api, bodyOf, createApi, type OrderBody, register, type Session } from "../support/api.ts";
import { type ComposeProject, composeProject } from "../support/compose-project.ts";
import { whyNoContainers } from "../support/containers.ts";
import { until } from "../support/process.ts";

describe("the shop in containers, its data in PostgreSQL", function () {
  this.timeout(300_000);
  let folder: string;
  let project: ComposeProject;
  let api: Api;
  let buyer: Session;
  let product: string;

  before(async function () {
    if ((await whyNoContainers()) !== undefined) return this.skip();
    folder = await mkdtemp(join(tmpdir(), "quartet-secrets-")); // which nobody else can look into
    const password = join(folder, "database-password");
    await writeFile(password, "a secret of this test\n", { mode: 0o644 });
    const files = ["docker-compose.yml", "compose.postgres.yml"];
    project = await composeProject(files, { DATABASE_PASSWORD_FILE: password });
    await project.compose("up", "--build", "--wait");
    api = createApi(project.url);
    buyer = await register(api, "ada");
    const listed = await api.get("/products?limit=1");
    product = bodyOf<{ data: { id: string }[] }>(listed).data[0]?.id ?? "";
  });
  after(async () => {
    await api?.close();
    await project?.remove();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  const place = (key: string) =>
    api.post("/orders", { product_id: product, quantity: 1 }, buyer.token, { "idempotency-key": key });
  const isReady = async () => (await fetch(`${project.url}/readyz`).catch(() => undefined))?.status === 200;

  /** As a client does it: the same request again, until it is done. */
  async function placeUntilTaken(key: string): Promise<OrderBody> {
    let answer = await place(key);
    await until(`${key}: an order is taken`, async () => {
      if (answer.status !== 201) answer = await place(key);
      return answer.status === 201;
    });
    return bodyOf(answer);
  }

  async function ends(order: OrderBody): Promise<string> {
    return bodyOf<OrderBody>(await api.get(`/orders/${order.id}`, buyer.token, { prefer: "wait=30" })).status;
  }

  it("is a schema and a role a module, by a role that may do no more than make them", async () => {
    const ask = (sql: string) =>
      project.compose("exec", "-T", "postgres", "psql", "-U", "postgres", "-Atc", sql, "shop");
    const owners = await ask("SELECT nspname, nspowner::regrole FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1");
    const own = moduleNames.map((name) => `${name}|shop_${name}`);
    expect(owners.split("\n")).to.include.members(own);
    expect(await ask("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = 'shop'")).to.equal("f|f");
    expect(await ask("SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL")).to.equal("shop");
  });

  it("fails by name while its PostgreSQL is away, and goes on by itself with all that it had", async () => {
    const placed = await placeUntilTaken("before");
    expect(await ends(placed)).to.equal("confirmed");
    await project.compose("kill", "postgres");
    expect(await place("while it is away"))
      .to.have.nested.property("body.type")
      .oneOf(["/problems/dependency-unavailable", "/problems/upstream-timeout"]); // as the network tells, or not
    await until("it is not ready", async () => !(await isReady()));
    await project.compose("start", "postgres");
    await until("it is ready again", isReady);
    expect(await ends(placed)).to.equal("confirmed");
    expect((await placeUntilTaken("before")).id).to.equal(placed.id);
    expect(await ends(await placeUntilTaken("while it is away"))).to.equal("confirmed");
    expect(await Promise.all(moduleNames.map((name) => project.restarts(name)))).to.deep.equal(
      moduleNames.map(() => 0),
    );
  });

  it("has its PostgreSQL started again when that is killed", async () => {
    const placed = await placeUntilTaken("before a kill");
    await project.killProgram("postgres", "postgres");
    await until("it is started again", async () => (await project.restarts("postgres")) > 0);
    expect(await ends(await placeUntilTaken("after a kill"))).to.equal("confirmed");
    expect(await ends(placed)).to.equal("confirmed");
  });

  it("is two of each with compose.scale.yml, whose modules begin once the schemas are migrated", async () => {
    const files = ["docker-compose.yml", "compose.postgres.yml", "compose.scale.yml"];
    const twice = await composeProject(files, {});
    const { services } = JSON.parse(await twice.compose("config", "--format", "json"));
    for (const name of ["gateway", ...moduleNames]) expect(services[name].deploy.replicas, name).to.equal(2);
    for (const name of moduleNames) {
      expect(services[name].environment.MIGRATE, name).to.equal("off");
      expect(services[name].depends_on, name).to.have.nested.property(
        "migrate.condition",
        "service_completed_successfully",
      );
    }
    expect(services.gateway.ports).to.have.length(1).and.have.nested.property("[0].published", "8000-8001");
  });

  it("is an addition to the form for production, too, and nobody outside can reach its PostgreSQL", async () => {
    const files = ["docker-compose.yml", "compose.production.yml", "compose.postgres.yml"];
    const production = await composeProject(files, {
      ADMIN_EMAIL: "admin@example.org",
      ADMIN_PASSWORD: "a long password",
    });
    const { services, networks } = JSON.parse(await production.compose("config", "--format", "json"));
    expect(services.postgres).to.not.have.property("ports");
    expect([Object.keys(services.postgres.networks), networks.back.internal]).to.deep.equal([["back"], true]);
    for (const name of moduleNames) {
      const { NODE_ENV, DATABASE_URL } = services[name].environment;
      expect([NODE_ENV, DATABASE_URL]).to.deep.equal(["production", "postgres://shop@postgres/shop"]);
    }
  });
});
