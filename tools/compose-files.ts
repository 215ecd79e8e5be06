/** What the files of Compose have to say of a module. */
export interface ComposeModule {
  readonly name: string;
  readonly port: number;
  /** The modules that it calls, and so waits for. */
  readonly calls: readonly string[];
}

/** docker-compose.yml with exactly these modules: what is written by hand in a service that there is stays. */
export function withServices(text: string, modules: readonly ComposeModule[]): string {
  const [head = "", services = "", networks = "", volumes = ""] = text
    .trimEnd()
    .split(/\n+(?=services:|networks:|volumes:)/);
  const blocks = services.split(/\n+(?= {2}\w)/).slice(1);
  const blockOf = (name: string) => blocks.find((block) => block.startsWith(`  ${name}:\n`));
  const isService = (block: string) => /^ {6}SERVE: /m.test(block);
  const urls = modules.map(({ name, port }) => `  ${name.toUpperCase()}_URL: http://${name}:${port}\n`);
  const names = modules.map(({ name }) => name);
  const all = [
    waiting(blockOf("gateway") ?? "", names),
    ...modules.map((module) => waiting(blockOf(module.name) ?? newService(module), ["redis", ...module.calls])),
    ...blocks.filter((block) => !isService(block)),
  ];
  const volumesOfServices = blocks.filter(isService).map((block) => block.replace(/:[\s\S]*/, ": {}"));
  const further = volumes.split("\n").filter((line) => line.startsWith("  ") && !volumesOfServices.includes(line));
  return [
    head.replace(/( {2}\w+_URL: http:.*\n)+/, urls.join("")),
    ["services:", all.join("\n\n")].join("\n"),
    networks,
    ["volumes:", ...names.map((name) => `  ${name}: {}`), ...further, ""].join("\n"),
  ].join("\n\n");
}

/** compose.dev.yml, which publishes each module's port. */
export function withPorts(text: string, modules: readonly ComposeModule[]): string {
  const services = modules.map(({ name, port }) =>
    [`  ${name}:`, `    ports: ["127.0.0.1:${port}:${port}"]`, "    networks: [front, back]", ""].join("\n"),
  );
  return text.replace(/^services:\n[\s\S]*$/m, `services:\n${services.join("")}`);
}

/** compose.production.yml: every module that has no settings of its own there is like the gateway. */
export function withProduction(text: string, modules: readonly ComposeModule[]): string {
  return withAliases(text, modules, "production");
}

/** compose.postgres.yml: every module has its data there. */
export function withPostgres(text: string, modules: readonly ComposeModule[]): string {
  return withAliases(text, modules, "in-postgres");
}

/** compose.scale.yml: there are two of every module. */
export function withScale(text: string, modules: readonly ComposeModule[]): string {
  return withAliases(text, modules, "module");
}

/** With a line for every module that has no settings of its own there. */
function withAliases(text: string, modules: readonly ComposeModule[], alias: string): string {
  const plain = modules.filter(({ name }) => !text.includes(`\n  ${name}:\n`));
  return text.replace(
    new RegExp(`(^ {2}(?!gateway)\\w+: \\*${alias}\n)+`, "m"),
    plain.map(({ name }) => `  ${name}: *${alias}\n`).join(""),
  );
}

function newService({ name, port }: ComposeModule): string {
  return `  ${name}:
    <<: *service
    environment:
      <<: *environment
      SERVE: ${name}
      LIVE_URL: http://127.0.0.1:${port}/livez
    volumes: ["${name}:/data"]
    depends_on:`;
}

/** A service that starts after these. All but Redis may still be on their way: who needs them waits, in each topology. */
function waiting(block: string, services: readonly string[]): string {
  const conditionOf = (name: string) => (name === "redis" ? "service_healthy" : "service_started");
  const lines = services.map((name) => `      ${name}: { condition: ${conditionOf(name)} }`);
  return block.replace(/(?<=^ {4}depends_on:)(\n {6}\w+: \{.*\})*/m, () => `\n${lines.join("\n")}`);
}
