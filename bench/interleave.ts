/**
 * Measures in rounds, because absolute figures drift from minute to minute. Every round measures each once, one after the
 * other; every second round goes the other way, so that a drift favours nobody.
 * @returns for each subject, in their order, what it measured round by round
 */
export async function interleave<Subject, Figure>(
  subjects: readonly Subject[],
  rounds: number,
  measure: (subject: Subject) => Promise<Figure>,
): Promise<readonly (readonly Figure[])[]> {
  const measured = subjects.map((subject) => ({ subject, figures: [] as Figure[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { subject, figures } of round % 2 === 0 ? measured : measured.toReversed()) {
      figures.push(await measure(subject));
    }
  }
  return measured.map(({ figures }) => figures);
}
