import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiProblem } from '../api/index.ts';
import type { Call } from '../calls/index.ts';
import { formatBytes } from '../format/index.ts';
import { Badge, Facts, Panel, useAction } from '../ui/index.ts';
import { download, mostBytes, type Result, readResult } from './read-result.ts';
import { type ShownBody, showBody } from './show-body.ts';

/** What the function answered in the end. It is data: it is shown as text, and nothing of it is run. */
export function ResultPanel({ call }: { call: Call }) {
  const { callId, submitter = '', endedAt, replays } = call;
  const path = `/async-function/${callId}/result?${new URLSearchParams({ submitter })}`;
  const [result, setResult] = useState<Result | ApiProblem | undefined>(undefined);
  useEffect(() => {
    const reading = new AbortController();
    const read = async (): Promise<void> => {
      try {
        setResult(await readResult(path, reading.signal));
      } catch (error) {
        if (!reading.signal.aborted) {
          setResult(ApiProblem.from(error));
        }
      }
    };
    void read();
    return () => reading.abort();
  }, [path, endedAt, replays]);
  if (result === undefined || result instanceof ApiProblem) {
    return (
      <Panel title="Result">
        <p class="quiet">{result?.message ?? 'Reading the result'}</p>
      </Panel>
    );
  }
  return (
    <Panel title="Result" aside={<Download path={path} callId={callId} />}>
      <div class="stack tight">
        <Facts
          facts={[
            { name: 'Status', value: <Badge tone={toneOf(result.status)}>{result.status}</Badge> },
            ...result.headers.map(([name, value]) => ({ name, value: <span class="code">{value}</span> })),
          ]}
        />
        <Body result={result} />
      </div>
    </Panel>
  );
}

function toneOf(status: string): 'good' | 'bad' {
  return Number(status) < 400 ? 'good' : 'bad';
}

function Download({ path, callId }: { path: string; callId: string }) {
  const save = useAction(() => download(path, `${callId}.bin`));
  return (
    <button class="button compact" type="button" disabled={save.busy} onClick={save.run}>
      Download the body
    </button>
  );
}

const words: Readonly<Record<ShownBody['kind'], string>> = {
  empty: 'The body is empty.',
  text: 'Text',
  json: 'JSON, with line breaks added',
  binary: 'Binary, its first bytes as hexadecimal digits',
};

function Body({ result: { bytes, isWhole } }: { result: Result }) {
  const { kind, text } = useMemo(() => showBody(bytes, isWhole), [bytes, isWhole]);
  const size = isWhole ? formatBytes(bytes.length) : `the first ${formatBytes(mostBytes)}, download it to see the rest`;
  return (
    <div>
      <p class="small quiet">{kind === 'empty' ? words.empty : `${words[kind]} (${size})`}</p>
      {kind !== 'empty' && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach it
        <section class={`body ${kind}`} tabIndex={0} aria-label="Body of the result">
          <pre>{text}</pre>
        </section>
      )}
    </div>
  );
}
