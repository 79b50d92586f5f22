import { readdir, readFile } from 'node:fs/promises';

export interface ProcessSample {
  readonly rssBytes: number;
  readonly handles: number;
}

/** Memory and open handles of a process, as Linux reports them (proc(5)). */
export async function sampleProcess(pid: number): Promise<ProcessSample> {
  const [status, handles] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), readdir(`/proc/${pid}/fd`)]);
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) {
    throw new Error(`process ${pid} has ended`);
  }
  return { rssBytes: Number(kibibytes) * 1024, handles: handles.length };
}
