import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

/** A real file system of a few megabytes. */
export interface SmallDisk {
  readonly folder: string;
  unmount(): void;
}

/** Mounts one, or tells why there can be none. */
export function smallDisk(megabytes = 2): SmallDisk | { readonly reason: string } {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return { reason: "mounting needs root on Linux" };
  const folder = mkdtempSync(join(tmpdir(), "quartet-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder], { stdio: "pipe" });
  } catch {
    rmSync(folder, { recursive: true });
    return { reason: "this system allows no mount" };
  }
  return {
    folder,
    unmount() {
      execFileSync("umount", [folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Writes until there is no space. */
export function fillUp(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(4_096));
  } catch (error) {
    expect(error).to.have.property("code", "ENOSPC");
  }
}
