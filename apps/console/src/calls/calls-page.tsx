import { useMemo } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import { useSearch } from 'wouter-preact/use-browser-location';
import { may } from '../access/index.ts';
import { Empty, Page, Panel } from '../ui/index.ts';
import { type CallFilter, parseFilter, toParams } from './call-filter.ts';
import { CallList } from './call-list.tsx';
import { FilterForm } from './filter-form.tsx';
import { OpenCall } from './open-call.tsx';

/** The search for calls (`GET /system/calls`). Its filter is the query of the page's URL. */
export function CallsPage() {
  // As it is in the address bar: the router decodes a query once more than others, and flow keys may have a percent sign.
  const query = useSearch();
  const [, navigate] = useLocation();
  const filter = useMemo(() => parseFilter(new URLSearchParams(query)), [query]);
  const apply = (next: CallFilter): void => {
    const wanted = toParams(next).toString();
    if (wanted !== toParams(filter).toString()) {
      navigate(wanted === '' ? '/calls' : `/calls?${wanted}`);
    }
  };
  return (
    <Page title="Calls" lead="Open calls, and those that have ended lately, newest first." actions={<OpenCall />}>
      {may('read') ? (
        <>
          <FilterForm filter={filter} onFilter={apply} />
          <CallList key={toParams(filter).toString()} filter={filter} onFilter={apply} />
        </>
      ) : (
        <Panel>
          <Empty title="Open a call by its id">
            Your token may look at its own calls one by one. To search for calls, it needs the scope read.
          </Empty>
        </Panel>
      )}
    </Page>
  );
}
