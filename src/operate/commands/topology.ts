import { originOf } from "../../base/origin.ts";
import { type Config, portOf } from "../../runtime/config.ts";
import {
  type ModuleName,
  moduleNames,
  modules,
  type ServiceName,
  servesAll,
  serviceNames,
  subscribersOf,
} from "../../runtime/modules.ts";
import { urlSetting } from "../../runtime/settings.ts";
import { withoutSecret } from "../data-places.ts";

/**
 * Describes who runs where, who calls whom and how, and who hears whose events, as these settings have it.
 * @returns lines for a person to read
 */
export function describeTopology(config: Config): string {
  return [
    `As these settings have it, a process serves ${config.SERVE.join(", ")}.`,
    "",
    "Where each service is",
    ...serviceNames.map((name) => `  ${name.padEnd(10)}${placeOf(name, config)}`),
    "",
    "Who calls whom",
    ...callsOf(config).map(([caller, callee]) => `  ${arrow(caller, callee)}${wayOfCall(callee, config)}`),
    "",
    `Events, ${config.REDIS_URL === undefined ? "by EventEmitter2 in this process" : `by Redis Streams at ${withoutSecret(config.REDIS_URL)}`}`,
    ...eventLines(),
  ].join("\n");
}

function placeOf(name: ServiceName, config: Config): string {
  const listensApart = name === "gateway" || !servesAll(config.SERVE);
  if (config.SERVE.includes(name)) {
    return `here${listensApart ? `, on ${originOf(config.HOST, portOf(config, name))}` : ", called directly"}`;
  }
  return `elsewhere${name === "gateway" ? "" : `, at ${config[urlSetting(name)]?.join(", ") ?? "a place that this process need not know"}`}`;
}

function callsOf(config: Config): [ServiceName, ModuleName][] {
  const calls = moduleNames.flatMap((name) =>
    modules[name].calls.map((callee): [ServiceName, ModuleName] => [name, callee]),
  );
  const fromGateway = moduleNames.map((name): [ServiceName, ModuleName] => ["gateway", name]);
  return [...fromGateway, ...calls].filter(([caller]) => config.SERVE.includes(caller));
}

function wayOfCall(callee: ModuleName, config: Config): string {
  if (config.SERVE.includes(callee)) return "direct call";
  return `HTTP to ${config[urlSetting(callee)]?.join(", ") ?? "?"}, by ${config.HTTP_CLIENT}`;
}

function eventLines(): string[] {
  return moduleNames.flatMap((publisher) => {
    const types = Object.keys(modules[publisher].contract.events).join(", ");
    return subscribersOf(publisher).map((subscriber) => `  ${arrow(publisher, subscriber)}${types}`);
  });
}

function arrow(from: string, to: string): string {
  return `${from.padEnd(9)} → ${to.padEnd(10)}`;
}
