/** A new trace by which the page finds its own request again (W3C Trace Context); its flag asks to be sampled. */
export function newTrace(): { readonly traceId: string; readonly header: string } {
  const traceId = randomHex(16);
  return { traceId, header: `00-${traceId}-${randomHex(8)}-01` };
}

/** A short text that nothing else of this page has. */
export function newUnique(): string {
  return Date.now().toString(36).slice(-5) + randomHex(2);
}

function randomHex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
