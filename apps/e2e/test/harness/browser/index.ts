// A real browser, which looks at the console.

export { startBrowser } from './browser.ts';
export { openConsole } from './open-console.ts';
