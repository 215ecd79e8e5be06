import type { Manifest } from "./manifest.ts";

/** A validator of the published schemas, as Ajv makes them. */
interface Validator {
  (data: unknown): boolean;
  readonly errors?: readonly Fault[] | null;
}

interface Fault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: object;
}

/**
 * Holds an object against the schema that Kubernetes publishes for its kind (as the package `kubernetes-models` has it).
 * @returns what is wrong with it, a line each
 */
export async function schemaFaults(manifest: Manifest): Promise<string[]> {
  const validate = await validatorOf(manifest);
  if (validate === undefined) return [`there is no published schema of ${manifest.apiVersion}, ${manifest.kind}`];
  const unread = new Set<string>();
  const isValid = validate(watched(manifest, "", unread));
  if (!isValid) return (validate.errors ?? []).map(textOf);
  const isOutermost = (path: string) => !unread.has(path.slice(0, path.lastIndexOf("/")));
  return [...unread].filter(isOutermost).map((path) => `${path}: there is no such field`);
}

async function validatorOf({ apiVersion, kind }: Manifest): Promise<Validator | undefined> {
  const [version = "", group = "core"] = apiVersion.split("/").toReversed();
  const [room = ""] = group.split(".");
  const schema = ["IoK8sApi", capitalised(room), capitalised(version), kind].join("");
  try {
    return (await import(`kubernetes-models/_schemas/${schema}`)).validate;
  } catch {
    return undefined;
  }
}

/**
 * The schemas allow for fields that they do not know, and the validators are compiled from them. But a validator looks at
 * every field that it knows, so what it never looked at is unknown.
 * @param unread the paths of the fields that nobody has looked at: filled here, emptied by whoever looks
 */
function watched<T extends object>(value: T, path: string, unread: Set<string>): T {
  const below = (key: string) => `${path}/${key}`;
  const children = new Map<string, unknown>();
  for (const [key, child] of Object.entries(value)) {
    unread.add(below(key));
    children.set(key, isObject(child) ? watched(child, below(key), unread) : child);
  }
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === "string") unread.delete(below(key));
      return typeof key === "string" && children.has(key) ? children.get(key) : Reflect.get(target, key);
    },
  });
}

function textOf({ instancePath, keyword, params }: Fault): string {
  return `${instancePath === "" ? "/" : instancePath}: ${keyword} ${JSON.stringify(params)}`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
