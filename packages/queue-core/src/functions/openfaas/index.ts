// What OpenFaaS writes into a stack file and into annotations.

export { isKnownAnnotation, maxWaitAnnotation, minWaitAnnotation, readAnnotations } from './openfaas-annotations.ts';
export { gatewayExpectation, gatewayTemplate, isStack, nameInStack } from './openfaas-stack.ts';
