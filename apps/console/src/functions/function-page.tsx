import { useMemo, useState } from 'preact/hooks';
import { Link, useLocation, useParams } from 'wouter-preact';
import { answerOf, api, read } from '../api/index.ts';

import { hrefOfFlows } from '../flows/index.ts';
import { formatCount, formatDuration } from '../format/index.ts';
import { History, type Live, useLiveOf } from '../live/index.ts';
import { SendCall } from '../send-call/index.ts';
import { Chart, Empty, Facts, Figures, Page, Panel, PausedBadge } from '../ui/index.ts';
import { FunctionActions } from './function-actions.tsx';
import type { Settings } from './function-fields.ts';
import { FunctionForm } from './function-form.tsx';

export interface OneFunction {
  readonly name: string;
  readonly settings: Settings;
  readonly paused: boolean;
  readonly etag: string | undefined;
}

/** One function: its load, its settings, and what an operator can do with it. */
export function FunctionPage() {
  const { name = '' } = useParams();
  const [editing, setEditing] = useState(false);
  const [, navigate] = useLocation();
  const live = useLiveOf((signal) => readFunction(name, signal), { everyMs: 5_000 }, [name]);
  const found = live.data.value;
  if (found === undefined) {
    return <NotThere name={name} live={live} />;
  }
  const { settings, paused, etag } = found;
  return (
    <Page
      title={name}
      lead={<State settings={settings} paused={paused} />}
      actions={
        <FunctionActions
          name={name}
          paused={paused}
          onChanged={() => live.refresh()}
          onEdit={() => setEditing(true)}
          onRemoved={() => navigate('/functions')}
        />
      }
    >
      <Load name={name} />
      <div class="columns">
        <SendCall name={name} />
        <Panel title="Settings" aside={<Link href={hrefOfFlows(name)}>Flow keys</Link>}>
          <Facts facts={factsOf(settings)} />
        </Panel>
      </div>
      {editing && (
        <FunctionForm
          existing={{ name, settings, etag }}
          onClose={() => {
            setEditing(false);
            live.refresh();
          }}
        />
      )}
    </Page>
  );
}

async function readFunction(name: string, signal: AbortSignal): Promise<OneFunction> {
  const { data, response } = await answerOf(
    api.GET('/system/functions/{name}', { params: { path: { name } }, signal }),
  );
  const { paused, ...settings } = (data ?? {}) as Settings;
  return { name, settings, paused: paused === true, etag: response.headers.get('ETag') ?? undefined };
}

function State({ settings, paused }: { settings: Settings; paused: boolean }) {
  return (
    <span class="row">
      <PausedBadge paused={paused} />
      <span>{String(settings['url'])}</span>
    </span>
  );
}

/** What waits and runs, since the page was opened. */
function Load({ name }: { name: string }) {
  const history = useMemo(() => new History(2), [name]);
  const { data } = useLiveOf(
    async (signal) => {
      const load = await read(api.GET('/system/scaling/{name}', { params: { path: { name } }, signal }));
      history.add(Date.now(), [load.pending, load.inFlight]);
      return load;
    },
    { everyMs: 2_000 },
    [name],
  );
  const { pending = 0, inFlight = 0, oldestAgeSeconds = 0 } = data.value ?? {};
  const [times, waiting, running] = history.data;
  return (
    <>
      <Figures
        figures={[
          { label: 'Pending', value: formatCount(pending) },
          { label: 'Running', value: formatCount(inFlight) },
          { label: 'Oldest waits', value: pending === 0 ? '0 s' : formatDuration(oldestAgeSeconds * 1_000) },
        ]}
      />
      <Panel title="Load">
        <div class="columns">
          <Chart
            title="Pending calls"
            whole
            series={[{ label: 'waiting', colour: 'waiting', latest: formatCount(pending) }]}
            data={[times, waiting ?? []]}
          />
          <Chart
            title="Running calls"
            whole
            series={[{ label: 'running', colour: 'out', latest: formatCount(inFlight) }]}
            data={[times, running ?? []]}
          />
        </div>
      </Panel>
    </>
  );
}

const titles: readonly (readonly [string, string])[] = [
  ['url', 'URL'],
  ['queue', 'Queue'],
  ['source', 'Set by'],
  ['timeout', 'Timeout'],
  ['concurrency', 'Concurrency'],
  ['rate', 'Rate'],
  ['flow', 'For each flow key'],
  ['maxPending', 'Most pending'],
  ['callbackUrl', 'Callback'],
  ['failureCallbackUrl', 'Callback of failures'],
  ['then', 'Then'],
  ['webhook', 'Webhooks'],
];

function factsOf(settings: Settings) {
  const retry = Object.entries((settings['retry'] ?? {}) as Settings);
  return [
    ...titles
      .filter(([name]) => settings[name] !== undefined)
      .map(([name, title]) => ({ name: title, value: toWords(name, settings[name]) })),
    ...(retry.length === 0
      ? []
      : [{ name: 'Retries', value: retry.map(([name, value]) => `${name} ${String(value)}`).join(', ') }]),
  ];
}

function toWords(name: string, value: unknown): string {
  if (name === 'source') {
    return value === 'file' ? 'a functions file' : 'the API';
  }
  if (name === 'webhook') {
    return `signed as ${String((value as Settings)['verify'])}`;
  }
  if (name === 'flow') {
    const { parallelism, rate } = value as { readonly parallelism?: number; readonly rate?: string };
    return [parallelism !== undefined && `${parallelism} at once`, rate].filter(Boolean).join(', ');
  }
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function NotThere({ name, live }: { name: string; live: Live<OneFunction> }) {
  const problem = live.problem.value;
  return (
    <Page title={name}>
      {problem?.status === 404 ? (
        <Panel>
          <Empty
            title="No function of this name is registered"
            action={
              <Link class="button" href="/functions">
                See the functions
              </Link>
            }
          >
            It may have been removed. Its failed calls are among the dead letters.
          </Empty>
        </Panel>
      ) : (
        <p class="quiet">{problem?.message ?? 'Reading the function'}</p>
      )}
    </Page>
  );
}
