/** The same commands for a machine that does much else: whoever waits for the fate of an order does so for as long as may be asked for. */
export function patiently(script: string): string {
  return script.replaceAll(/\bwait=\d+/g, "wait=30");
}
