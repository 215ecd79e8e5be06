import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";

/** 96 random bits: two openings of one database never share them. */
export function randomName(): string {
  return randomBytes(12).toString("base64url");
}

/**
 * The file itself, and not its path, which may be a link or another container's. Machines that were set up alike have equal names and
 * numbers of files; no two run since the same start.
 */
export function seatOf(file: string): string {
  const { dev, ino } = statSync(file);
  return `${runningSystem()}:${dev}:${ino}`;
}

/** Linux says which start of it this is, the same to all its containers; elsewhere the machine's name has to do. */
function runningSystem(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return hostname();
  }
}
