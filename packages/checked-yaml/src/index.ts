export { type DocumentProblem, describeProblem, locateProblems } from './document-problem.ts';
export { readYaml } from './read-yaml.ts';
export { type Found, shapeProblems } from './shape-problems.ts';
export type { Variables } from './variables.ts';
