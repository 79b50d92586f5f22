/** What a list shows of a dead letter. */
export interface Letter {
  readonly callId: string;
  readonly submitter?: string | undefined;
  readonly kind: string;
  readonly function: string;
  readonly queue: string;
  readonly reason: string;
  readonly lastStatus?: number | undefined;
  readonly attempts: number;
  readonly labels?: readonly string[] | undefined;
  readonly createdAt: string;
  readonly endedAt: string;
  readonly bytes: number;
  readonly omitted?: string | undefined;
}

/** The dead letters of one function that failed in the same way. */
export interface LetterGroup {
  readonly key: string;
  readonly function: string;
  readonly reason: string;
  readonly kind: string;
  /** Oldest first. */
  readonly letters: readonly Letter[];
  readonly oldestAt: string;
  readonly newestAt: string;
  /** The last status of most of them. */
  readonly usualStatus: number | undefined;
}

/** Groups by function and reason, the largest group first. */
export function groupLetters(letters: readonly Letter[]): LetterGroup[] {
  const groups = new Map<string, Letter[]>();
  for (const letter of letters) {
    const key = `${letter.function} ${letter.reason} ${letter.kind}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [letter]);
    } else {
      group.push(letter);
    }
  }
  return [...groups].flatMap(([key, group]) => toGroup(key, group) ?? []).toSorted(byCount);
}

function byCount(a: LetterGroup, b: LetterGroup): number {
  return b.letters.length - a.letters.length;
}

function toGroup(key: string, letters: readonly Letter[]): LetterGroup | undefined {
  const [first] = letters;
  if (first === undefined) {
    return undefined;
  }
  const times = letters.map(({ endedAt }) => endedAt).toSorted();
  return {
    key,
    function: first.function,
    reason: first.reason,
    kind: first.kind,
    letters,
    oldestAt: times[0] ?? first.endedAt,
    newestAt: times.at(-1) ?? first.endedAt,
    usualStatus: mostFrequent(letters.flatMap(({ lastStatus }) => lastStatus ?? [])),
  };
}

function mostFrequent(statuses: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const status of statuses) {
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}
