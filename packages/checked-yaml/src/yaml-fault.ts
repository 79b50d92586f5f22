/** A syntax error of the text. */
export interface YamlFault {
  /** Counted from 1. */
  readonly line: number;
  readonly problem: string;
}
