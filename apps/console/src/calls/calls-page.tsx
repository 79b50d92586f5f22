import { Empty, Page, Panel } from '../ui/index.ts';

/** The search for calls (`GET /system/calls`): filters in the query of the page's URL, a virtualised table, a cursor. */
export function CallsPage() {
  return (
    <Page title="Calls">
      <Panel>
        <Empty title="The search for calls comes here">Look a call up by its id with the API meanwhile.</Empty>
      </Panel>
    </Page>
  );
}
