// The URL of a function.

export { objectToUrl, showUrl, urlExpectation, urlProblem } from './function-url.ts';
export { keepCredentials } from './kept-credentials.ts';
