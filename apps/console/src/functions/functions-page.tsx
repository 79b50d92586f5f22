import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { formatCount, formatMany } from '../format/index.ts';
import { useLive } from '../live/index.ts';
import { Badge, type Column, Empty, Page, Panel, Table } from '../ui/index.ts';
import { FunctionForm } from './function-form.tsx';
import { type FunctionRow, liveFunctions } from './live-functions.ts';

const columns: readonly Column<FunctionRow>[] = [
  {
    key: 'name',
    title: 'Function',
    sortBy: ({ name }) => name,
    show: ({ name, url, paused }) => (
      <>
        <Link href={`/functions/${name}`}>{name}</Link>{' '}
        {paused && (
          <span class="narrow">
            <Badge tone="warn">Paused</Badge>
          </span>
        )}
        <span class="one-line small quiet">{url}</span>
      </>
    ),
  },
  { key: 'queue', title: 'Queue', wide: true, sortBy: ({ queue }) => queue, show: ({ queue }) => queue },
  {
    key: 'state',
    title: 'State',
    wide: true,
    sortBy: ({ paused }) => Number(!paused),
    show: ({ paused }) => (paused ? <Badge tone="warn">Paused</Badge> : <Badge tone="good">Active</Badge>),
  },
  {
    key: 'pending',
    title: 'Pending',
    number: true,
    sortBy: ({ pending }) => pending,
    show: ({ pending }) => formatCount(pending),
  },
  {
    key: 'running',
    title: 'Running',
    number: true,
    sortBy: ({ running }) => running,
    show: ({ running }) => formatCount(running),
  },
];

export function FunctionsPage() {
  const functions = useLive(liveFunctions).data.value;
  const [wanted, setWanted] = useState('');
  const [adding, setAdding] = useState(false);
  const shown = functions?.filter(({ name, queue }) => `${name} ${queue}`.includes(wanted.trim())) ?? [];
  return (
    <Page
      title="Functions"
      lead={functions === undefined ? 'Reading the functions' : formatMany(functions.length, 'function')}
      actions={
        <button class="button main" type="button" onClick={() => setAdding(true)}>
          Register a function
        </button>
      }
    >
      {functions?.length === 0 ? (
        <Panel>
          <Empty title="No function is registered yet">
            A function is anything with a URL that answers HTTP. Register one here, with the API, or in a functions
            file.
          </Empty>
        </Panel>
      ) : (
        <section class="panel">
          <div class="panel-head">
            <input
              class="input search"
              type="search"
              aria-label="Find a function or a queue"
              placeholder="Find by name or queue"
              value={wanted}
              onInput={({ currentTarget }) => setWanted(currentTarget.value)}
            />
            {wanted !== '' && <span class="quiet">{formatMany(shown.length, 'match', 'matches')}</span>}
          </div>
          <Table label="Functions" columns={columns} rows={shown} keyOf={({ name }) => name} />
        </section>
      )}
      {adding && <FunctionForm onClose={() => setAdding(false)} />}
    </Page>
  );
}
