import { Link, Redirect, Route, Router, Switch, useLocation } from 'wouter-preact';
import { access, may } from '../access/index.ts';
import { forgetToken } from '../api/index.ts';
import logo from '../icon.svg';
import { Empty, Page, Panel } from '../ui/index.ts';
import { BrokerState, BrokerTrouble } from './broker-state.tsx';
import { type PageRoute, pages } from './pages.tsx';

export function Frame() {
  const allowed = pages.filter(({ scope }) => scope === 'any' || may(scope));
  return (
    <Router base="/console">
      <div class="frame">
        <a class="skip" href="#content">
          Skip to the content
        </a>
        <Side pages={allowed} />
        <div>
          {may('admin') && <BrokerTrouble />}
          <Switch>
            {allowed.map(({ path, component: Shown }) => (
              <Route key={path} path={path}>
                <Shown />
              </Route>
            ))}
            {!may('admin') && (
              <Route path="/">
                <Redirect to="/calls" replace />
              </Route>
            )}
            <Route>
              <NotFound />
            </Route>
          </Switch>
        </div>
      </div>
    </Router>
  );
}

function Side({ pages: shown }: { pages: readonly PageRoute[] }) {
  return (
    <header class="side">
      <Link href="/" class="brand">
        <img src={logo} alt="" />
        asyncfn
      </Link>
      <nav class="nav" aria-label="Pages">
        {shown.map(({ path, title }) => title !== undefined && <NavLink key={path} path={path} title={title} />)}
      </nav>
      <div class="side-foot">
        {may('admin') && <BrokerState />}
        <Identity />
      </div>
    </header>
  );
}

function NavLink({ path, title }: { path: string; title: string }) {
  const [location] = useLocation();
  const isCurrent = path === '/' ? location === '/' : location === path || location.startsWith(`${path}/`);
  return (
    <Link href={path} {...(isCurrent && { 'aria-current': 'page' })}>
      {title}
    </Link>
  );
}

function Identity() {
  const known = access.value;
  if (known.kind !== 'known') {
    return null;
  }
  const { name, needsToken, version } = known.identity;
  return (
    <>
      <span class="quiet wide">Version {version}</span>
      {needsToken && (
        <>
          <span class="quiet wide">Signed in as {name}</span>
          <button class="button compact" type="button" onClick={forgetToken}>
            Sign out
          </button>
        </>
      )}
    </>
  );
}

function NotFound() {
  return (
    <Page title="No such page">
      <Panel>
        <Empty
          title="The console has no page at this address"
          action={
            <Link class="button" href="/">
              Go to the start
            </Link>
          }
        >
          It may have moved, or your token does not allow it.
        </Empty>
      </Panel>
    </Page>
  );
}
