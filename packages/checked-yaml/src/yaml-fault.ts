/** A fault of the text itself, whatever it is meant to say. */
export interface YamlFault {
  /** Counted from 1. */
  readonly line: number;
  readonly problem: string;
}
