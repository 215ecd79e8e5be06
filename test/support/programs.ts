import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** The path of a program in one of these folders, by default those of `PATH`. */
export async function findProgram(name: string, folders = (process.env.PATH ?? "").split(delimiter)) {
  for (const folder of folders) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  return undefined;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
