/** Where the parts of asyncfn are on this machine. */
export interface Installation {
  readonly version: string;
  /** Paths of the main modules. */
  readonly mains: Readonly<Record<'gateway' | 'worker', string>>;
  /** Folder of the queue if `STATE_DIR` is not set. */
  readonly stateDir: string;
  /** What users type before `call` to use the command line, such as `npx asyncfn`. Default: the banner shows curl alone. */
  readonly command?: string;
}
