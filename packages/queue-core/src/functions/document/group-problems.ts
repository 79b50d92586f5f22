import type { Found } from '@asyncfn/checked-yaml';
import { parseFunctionName } from '../../call/index.ts';
import { entriesOf } from '../entries-of.ts';

/** Maximum number of members of a group: one request becomes this many calls. */
const maxMembers = 100;

export const groupExpectation = `must be a list of 1 to ${maxMembers} functions, for example [email, ledger]`;

export interface KnownFunctions {
  /** Whether the document names this function. */
  readonly isNamed: (name: string) => boolean;
  /** Whether a function of this name exists, or may exist. */
  readonly exists: (name: string) => boolean;
}

/** Problems of groups, even in a document whose shape is wrong elsewhere. */
export function groupProblems(document: unknown, { isNamed, exists }: KnownFunctions): Found[] {
  return entriesOf(document, 'groups').flatMap(([name, members]): Found[] => {
    const problem = nameProblem(name, isNamed);
    const ofName = problem === undefined ? [] : [{ keys: ['groups', name], problem }];
    const ofMembers = memberProblems(members, exists).map((each) => ({
      ...each,
      keys: ['groups', name, ...each.keys],
    }));
    return [...ofName, ...ofMembers];
  });
}

function nameProblem(name: string, isNamed: KnownFunctions['isNamed']): string | undefined {
  if (parseFunctionName(name) === undefined) {
    return 'must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}';
  }
  return isNamed(name) ? 'is a function as well; give the group another name' : undefined;
}

/** A value that is not a list of texts is a problem of the document's shape. */
function memberProblems(members: unknown, exists: KnownFunctions['exists']): Found[] {
  if (!Array.isArray(members)) {
    return [];
  }
  if (members.length === 0 || members.length > maxMembers) {
    return [{ keys: [], problem: groupExpectation }];
  }
  return members.flatMap((member: unknown, index) => {
    const problem =
      typeof member === 'string' ? memberProblem(member, members.indexOf(member) < index, exists) : undefined;
    return problem === undefined ? [] : [{ keys: [String(index)], problem }];
  });
}

function memberProblem(member: string, isTwice: boolean, exists: KnownFunctions['exists']): string | undefined {
  if (parseFunctionName(member) === undefined) {
    return 'must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}';
  }
  if (isTwice) {
    return 'stands in the group a second time';
  }
  return exists(member) ? undefined : `names the function ${member}, which is not among the functions`;
}
