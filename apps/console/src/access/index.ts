// Who uses the console, and what they may do.

export { access, askGateway, followAccess, may, type Scope } from './access.ts';
