/** One value of a page in the text format of Prometheus. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The page of whoever listens at this URL. */
export async function readMetrics(origin: string): Promise<string> {
  const answer = await fetch(`${origin}/metrics`);
  if (answer.status !== 200) throw new Error(`${origin}/metrics answered ${answer.status}`);
  return answer.text();
}

export function samplesOf(page: string): Sample[] {
  return page
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = "", value = ""] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", text = ""]) => [label, text]);
      return { name, labels: Object.fromEntries(pairs), value: Number(value) };
    });
}

/** The value of the one sample that has this name and these labels. @throws Error when there is none, or there are several */
export function sampleValue(page: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const found = samplesOf(page).filter(
    (sample) => sample.name === name && Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
  );
  const [sample] = found;
  if (sample === undefined || found.length > 1) {
    throw new Error(`${found.length} samples ${name} with ${JSON.stringify(labels)} in:\n${page}`);
  }
  return sample.value;
}
