export { anyone, type Caller, coversFunction, hasScope, type Scope, scopes } from './caller.ts';
export { type Rate, rateType } from './rate.ts';
export { createToken, findToken, formatHash, hashToken, type Token } from './token.ts';
export { type TokenEntry, writeTokenEntry } from './token-entry.ts';
export { parseTokens, parseTokensFile, secretFilesOf } from './tokens-document.ts';
