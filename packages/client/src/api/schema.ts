// Written by `pnpm docs:write` from the OpenAPI description of the gateway.

export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "asyncfn",
                         *       "version": "1.0.0",
                         *       "links": {
                         *         "calls": "/async-function/NAME",
                         *         "batches": "/async-batch",
                         *         "docs": "/docs",
                         *         "openapi": "/openapi.json",
                         *         "health": "/healthz",
                         *         "console": "/console"
                         *       }
                         *     }
                         */
                        "application/json": {
                            name: string;
                            version: string;
                            links: {
                                [key: string]: string;
                            };
                        };
                    };
                };
                302: {
                    headers: {
                        Location?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/async-batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                            batchId: string;
                            accepted: number;
                            refused: number;
                            calls: {
                                callId?: string;
                                /** @enum {unknown} */
                                status: "queued" | "scheduled" | "refused";
                                problem?: {
                                    [key: string]: unknown;
                                };
                            }[];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/async-batch/{batchId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example 30s */
                    wait?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    batchId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                            batchId: string;
                            total: number;
                            open: number;
                            succeeded: number;
                            failed: number;
                            cancelled: number;
                            expired: number;
                            /** Format: date-time */
                            createdAt: string;
                            /** Format: date-time */
                            endedAt?: string;
                        };
                        "text/event-stream": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    batchId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                            batchId: string;
                            total: number;
                            open: number;
                            succeeded: number;
                            failed: number;
                            cancelled: number;
                            expired: number;
                            /** Format: date-time */
                            createdAt: string;
                            /** Format: date-time */
                            endedAt?: string;
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/async-batch/{batchId}/results": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example 1000 */
                    cursor?: string;
                    limit?: number;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    batchId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        "X-Next-Cursor"?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/x-ndjson": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/async-function/{callId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                    /** @example 30s */
                    wait?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    callId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            callId: string;
                            submitter?: string;
                            function: string;
                            queue: string;
                            /** @enum {unknown} */
                            status: "scheduled" | "queued" | "running" | "retrying" | "succeeded" | "failed" | "cancelled" | "expired";
                            /** @enum {unknown} */
                            waitingFor?: "flow" | "rate";
                            attempts: number;
                            maxRetries: number;
                            /** Format: date-time */
                            createdAt: string;
                            /** Format: date-time */
                            notBefore?: string;
                            /** Format: date-time */
                            startedAt?: string;
                            /** Format: date-time */
                            endedAt?: string;
                            durationMs?: number;
                            functionStatus?: number;
                            redirectedTo?: string;
                            reason?: string;
                            replays?: number;
                            /**
                             * @example [
                             *       "customer=7",
                             *       "nightly"
                             *     ]
                             */
                            labels?: string[];
                            /** @example order-7 */
                            flowKey?: string;
                            parentId?: string;
                            rootId?: string;
                            batchId?: string;
                            /**
                             * @example [
                             *       "flip"
                             *     ]
                             */
                            then?: string[];
                            next?: string;
                            callback?: {
                                url: string;
                                /** @enum {unknown} */
                                status: "pending" | "delivered" | "failed";
                                attempts: number;
                            };
                        };
                        "text/event-stream": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    callId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "callId": "0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11",
                         *       "function": "thumbnail",
                         *       "queue": "default",
                         *       "status": "cancelled",
                         *       "attempts": 2,
                         *       "maxRetries": 10,
                         *       "createdAt": "2026-01-31T12:00:00.000Z",
                         *       "startedAt": "2026-01-31T12:00:00.012Z",
                         *       "endedAt": "2026-01-31T12:00:07.240Z"
                         *     }
                         */
                        "application/json": {
                            callId: string;
                            submitter?: string;
                            function: string;
                            queue: string;
                            /** @enum {unknown} */
                            status: "scheduled" | "queued" | "running" | "retrying" | "succeeded" | "failed" | "cancelled" | "expired";
                            /** @enum {unknown} */
                            waitingFor?: "flow" | "rate";
                            attempts: number;
                            maxRetries: number;
                            /** Format: date-time */
                            createdAt: string;
                            /** Format: date-time */
                            notBefore?: string;
                            /** Format: date-time */
                            startedAt?: string;
                            /** Format: date-time */
                            endedAt?: string;
                            durationMs?: number;
                            functionStatus?: number;
                            redirectedTo?: string;
                            reason?: string;
                            replays?: number;
                            /**
                             * @example [
                             *       "customer=7",
                             *       "nightly"
                             *     ]
                             */
                            labels?: string[];
                            /** @example order-7 */
                            flowKey?: string;
                            parentId?: string;
                            rootId?: string;
                            batchId?: string;
                            /**
                             * @example [
                             *       "flip"
                             *     ]
                             */
                            then?: string[];
                            next?: string;
                            callback?: {
                                url: string;
                                /** @enum {unknown} */
                                status: "pending" | "delivered" | "failed";
                                attempts: number;
                            };
                        };
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/async-function/{callId}/attempts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    callId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "attempts": [
                         *         {
                         *           "attempt": 1,
                         *           "startedAt": "2026-01-31T12:00:00.012Z",
                         *           "durationMs": 41,
                         *           "worker": "worker-1:17",
                         *           "status": 503,
                         *           "verdict": "retry",
                         *           "retryAt": "2026-01-31T12:00:10.061Z"
                         *         },
                         *         {
                         *           "attempt": 2,
                         *           "startedAt": "2026-01-31T12:00:10.067Z",
                         *           "durationMs": 41,
                         *           "worker": "worker-1:17",
                         *           "status": 200,
                         *           "verdict": "succeeded"
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            attempts: {
                                attempt: number;
                                /** Format: date-time */
                                startedAt: string;
                                durationMs?: number;
                                status?: number;
                                /** @example unreachable: ECONNREFUSED */
                                error?: string;
                                /** @example retry */
                                verdict: string;
                                /** Format: date-time */
                                retryAt?: string;
                                /** @example worker-1:17 */
                                worker: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/async-function/{callId}/result": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    callId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        "X-Call-Id"?: unknown;
                        "X-Function-Status"?: unknown;
                        ETag?: unknown;
                        "Repr-Digest"?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": unknown;
                    };
                };
                206: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": unknown;
                    };
                };
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/async-function/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: {
                    "X-Callback-Url"?: string;
                    /** @example flip?axis=x,store/thumbnails */
                    "X-Then"?: string;
                    "X-Failure-Callback-Url"?: string;
                    "X-Callback-Forward-NAME"?: string;
                    /** @example customer=7,nightly */
                    "X-Label"?: string;
                    /** @example order-1234 */
                    "X-Flow-Key"?: string;
                    /** @example parallelism=1, rate=10, period=1m */
                    "X-Flow-Control"?: string;
                    /** @example order-4711 */
                    "X-Call-Id"?: string;
                    /** @example 8e03978e-40d5-43e8-bc93-6894a57f9324 */
                    "Idempotency-Key"?: string;
                    "X-Function-Status"?: string;
                    "X-Chain-Depth"?: number;
                    "X-Max-Retries"?: number;
                    "X-Timeout"?: string;
                    "X-Delay"?: string;
                    "X-Not-Before"?: string;
                    "X-Expires-In"?: string;
                    /** @example wait=30 */
                    Prefer?: string;
                    "X-Function-Authorization"?: string;
                    traceparent?: string;
                    tracestate?: string;
                };
                path: {
                    /** @example thumbnail */
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "*/*": unknown;
                };
            };
            responses: {
                200: {
                    headers: {
                        "X-Call-Id"?: unknown;
                        "X-Function-Status"?: unknown;
                        "Preference-Applied"?: unknown;
                        "Idempotency-Replayed"?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": unknown;
                    };
                };
                202: {
                    headers: {
                        "Preference-Applied"?: unknown;
                        "Idempotency-Replayed"?: unknown;
                        "X-Call-Id"?: unknown;
                        "X-Start-Time"?: unknown;
                        Location?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                            callId: string;
                            /** @example thumbnail */
                            function: string;
                            /** @enum {string} */
                            status: "queued" | "scheduled";
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/calls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example thumbnail */
                    function?: string;
                    /** @example default */
                    queue?: string;
                    /**
                     * @example [
                     *       "failed"
                     *     ]
                     */
                    status?: ("scheduled" | "queued" | "running" | "retrying" | "succeeded" | "failed" | "cancelled" | "expired")[];
                    /** @example customer=7 */
                    label?: string;
                    flowKey?: string;
                    parent?: string;
                    batch?: string;
                    /** @example 2026-01-31T12:00:00Z */
                    from?: string;
                    /** @example 2026-01-31T12:00:00Z */
                    to?: string;
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "calls": [
                         *         {
                         *           "callId": "0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11",
                         *           "function": "thumbnail",
                         *           "queue": "default",
                         *           "status": "succeeded",
                         *           "attempts": 2,
                         *           "maxRetries": 10,
                         *           "createdAt": "2026-01-31T12:00:00.000Z",
                         *           "startedAt": "2026-01-31T12:00:00.012Z",
                         *           "callback": {
                         *             "url": "https://example.com/done",
                         *             "status": "delivered",
                         *             "attempts": 1
                         *           },
                         *           "endedAt": "2026-01-31T12:00:41.377Z",
                         *           "durationMs": 1205,
                         *           "functionStatus": 200
                         *         }
                         *       ],
                         *       "cursor": "MS5xN3Z0",
                         *       "complete": true
                         *     }
                         */
                        "application/json": {
                            calls: {
                                callId: string;
                                submitter?: string;
                                function: string;
                                queue: string;
                                /** @enum {unknown} */
                                status: "scheduled" | "queued" | "running" | "retrying" | "succeeded" | "failed" | "cancelled" | "expired";
                                /** @enum {unknown} */
                                waitingFor?: "flow" | "rate";
                                attempts: number;
                                maxRetries: number;
                                /** Format: date-time */
                                createdAt: string;
                                /** Format: date-time */
                                notBefore?: string;
                                /** Format: date-time */
                                startedAt?: string;
                                /** Format: date-time */
                                endedAt?: string;
                                durationMs?: number;
                                functionStatus?: number;
                                redirectedTo?: string;
                                reason?: string;
                                replays?: number;
                                /**
                                 * @example [
                                 *       "customer=7",
                                 *       "nightly"
                                 *     ]
                                 */
                                labels?: string[];
                                /** @example order-7 */
                                flowKey?: string;
                                parentId?: string;
                                rootId?: string;
                                batchId?: string;
                                /**
                                 * @example [
                                 *       "flip"
                                 *     ]
                                 */
                                then?: string[];
                                next?: string;
                                callback?: {
                                    url: string;
                                    /** @enum {unknown} */
                                    status: "pending" | "delivered" | "failed";
                                    attempts: number;
                                };
                            }[];
                            cursor?: string;
                            complete: boolean;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/calls/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    /**
                     * @example {
                     *       "label": "customer=7",
                     *       "status": [
                     *         "queued",
                     *         "retrying"
                     *       ]
                     *     }
                     */
                    "application/json": {
                        /** @example thumbnail */
                        function?: string;
                        /** @example default */
                        queue?: string;
                        /**
                         * @example [
                         *       "queued",
                         *       "retrying"
                         *     ]
                         */
                        status?: ("scheduled" | "queued" | "running" | "retrying") | ("scheduled" | "queued" | "running" | "retrying")[];
                        /** @example customer=7 */
                        label?: string;
                        /**
                         * Format: date-time
                         * @example 2026-01-31T12:00:00Z
                         */
                        from?: string;
                        /**
                         * Format: date-time
                         * @example 2026-01-31T12:00:00Z
                         */
                        to?: string;
                        /** @default 10000 */
                        limit?: number;
                    };
                };
            };
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "cancelled": 128,
                         *       "complete": true
                         *     }
                         */
                        "application/json": {
                            cancelled: number;
                            complete: boolean;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/calls/{callId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    callId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example thumbnail */
                    function?: string;
                    /** @example default */
                    queue?: string;
                    /** @example retries_exhausted */
                    reason?: "retries_exhausted" | "rejected" | "non_retryable" | "expired" | "response_too_large" | "bad_response" | "unknown_function" | "undecodable" | "worker_crash" | "too_large" | "callback_undeliverable";
                    kind?: "call" | "callback";
                    limit?: number;
                    /** @example 4217 */
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "deadLetters": [
                         *         {
                         *           "callId": "0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11",
                         *           "kind": "call",
                         *           "function": "thumbnail",
                         *           "queue": "default",
                         *           "reason": "retries_exhausted",
                         *           "lastStatus": 503,
                         *           "attempts": 11,
                         *           "labels": [
                         *             "customer=7",
                         *             "nightly"
                         *           ],
                         *           "createdAt": "2026-01-31T12:00:00.000Z",
                         *           "endedAt": "2026-01-31T12:14:10.512Z",
                         *           "bytes": 48213
                         *         }
                         *       ],
                         *       "cursor": "4218"
                         *     }
                         */
                        "application/json": {
                            deadLetters: {
                                callId: string;
                                submitter?: string;
                                kind: string;
                                function: string;
                                queue: string;
                                reason: string;
                                lastStatus?: number;
                                attempts: number;
                                labels?: string[];
                                /** Format: date-time */
                                createdAt: string;
                                /** Format: date-time */
                                endedAt: string;
                                bytes: number;
                                omitted?: string;
                            }[];
                            cursor?: string;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/dead-letters/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    /**
                     * @example {
                     *       "function": "thumbnail",
                     *       "reason": "retries_exhausted",
                     *       "limit": 500
                     *     }
                     */
                    "application/json": {
                        /** @example thumbnail */
                        function?: string;
                        /** @example default */
                        queue?: string;
                        /**
                         * @example retries_exhausted
                         * @enum {unknown}
                         */
                        reason?: "retries_exhausted" | "rejected" | "non_retryable" | "expired" | "response_too_large" | "bad_response" | "unknown_function" | "undecodable" | "worker_crash" | "too_large" | "callback_undeliverable";
                        /** @enum {unknown} */
                        kind?: "call" | "callback";
                        limit?: number;
                        /** @example 4217 */
                        cursor?: string;
                    };
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "replayed": 498,
                         *       "skipped": 2,
                         *       "reasons": {
                         *         "unknown_function": 2
                         *       }
                         *     }
                         */
                        "application/json": {
                            replayed: number;
                            skipped: number;
                            reasons: {
                                [key: string]: number;
                            };
                            cursor?: string;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/dead-letters/{callId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    kind?: "call" | "callback";
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    callId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "callId": "0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11",
                         *       "kind": "call",
                         *       "function": "thumbnail",
                         *       "queue": "default",
                         *       "reason": "retries_exhausted",
                         *       "lastStatus": 503,
                         *       "attempts": 11,
                         *       "labels": [
                         *         "customer=7",
                         *         "nightly"
                         *       ],
                         *       "createdAt": "2026-01-31T12:00:00.000Z",
                         *       "endedAt": "2026-01-31T12:14:10.512Z",
                         *       "bytes": 48213,
                         *       "kinds": [
                         *         "call"
                         *       ],
                         *       "replays": 0,
                         *       "path": "/200x100",
                         *       "callbackUrl": "https://example.com/done"
                         *     }
                         */
                        "application/json": {
                            callId: string;
                            submitter?: string;
                            kind: string;
                            function: string;
                            queue: string;
                            reason: string;
                            lastStatus?: number;
                            attempts: number;
                            labels?: string[];
                            /** Format: date-time */
                            createdAt: string;
                            /** Format: date-time */
                            endedAt: string;
                            bytes: number;
                            omitted?: string;
                            kinds: string[];
                            replays: number;
                            path?: string;
                            callbackUrl?: string;
                            functionStatus?: number;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete: {
            parameters: {
                query?: {
                    kind?: "call" | "callback";
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    callId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/dead-letters/{callId}/attempts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    callId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "attempts": [
                         *         {
                         *           "attempt": 1,
                         *           "startedAt": "2026-01-31T12:00:00.012Z",
                         *           "durationMs": 41,
                         *           "worker": "worker-1:17",
                         *           "status": 503,
                         *           "verdict": "retry",
                         *           "retryAt": "2026-01-31T12:00:10.061Z"
                         *         },
                         *         {
                         *           "attempt": 2,
                         *           "startedAt": "2026-01-31T12:00:10.067Z",
                         *           "durationMs": 41,
                         *           "worker": "worker-1:17",
                         *           "status": 200,
                         *           "verdict": "succeeded"
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            attempts: {
                                attempt: number;
                                /** Format: date-time */
                                startedAt: string;
                                durationMs?: number;
                                status?: number;
                                /** @example unreachable: ECONNREFUSED */
                                error?: string;
                                /** @example retry */
                                verdict: string;
                                /** Format: date-time */
                                retryAt?: string;
                                /** @example worker-1:17 */
                                worker: string;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/dead-letters/{callId}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: {
                    kind?: "call" | "callback";
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example 0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11 */
                    callId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        "X-Call-Id"?: unknown;
                        Location?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "callId": "0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11",
                         *       "status": "queued"
                         *     }
                         */
                        "application/json": {
                            callId: string;
                            /** @enum {string} */
                            status: "queued";
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example thumbnail */
                    function?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example event: ended
                         *     data: {"callId":"0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11","function":"thumbnail","queue":"default","status":"succeeded","attempts":1,"maxRetries":10,"createdAt":"2026-01-31T12:00:00.000Z","startedAt":"2026-01-31T12:00:00.012Z","endedAt":"2026-01-31T12:00:01.217Z","durationMs":1205,"functionStatus":200}
                         *
                         *     event: missed
                         *     data: {"missed":312}
                         */
                        "text/event-stream": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/flows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example thumbnail */
                    function?: string;
                    limit?: number;
                    cursor?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "flows": [
                         *         {
                         *           "function": "ledger",
                         *           "key": "order-7",
                         *           "queue": "default",
                         *           "waiting": 12,
                         *           "running": 1,
                         *           "parallelism": 1,
                         *           "rate": null,
                         *           "limitsFrom": {
                         *             "parallelism": "function",
                         *             "rate": null
                         *           },
                         *           "paused": false,
                         *           "pinned": false
                         *         }
                         *       ],
                         *       "cursor": "MS5kZWZhdWx0LjJi"
                         *     }
                         */
                        "application/json": {
                            flows: {
                                function: string;
                                key: string;
                                submitter?: string;
                                queue: string;
                                waiting: number;
                                running: number;
                                parallelism: number;
                                rate: string | null;
                                limitsFrom: {
                                    parallelism: ("pin" | "function" | "caller") | null;
                                    rate: ("pin" | "function" | "caller") | null;
                                };
                                paused: boolean;
                                pinned: boolean;
                            }[];
                            cursor?: string;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/flows/{function}/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example ledger */
                    function: string;
                    /** @example order-7 */
                    key: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "function": "ledger",
                         *       "key": "order-7",
                         *       "queue": "default",
                         *       "waiting": 12,
                         *       "running": 1,
                         *       "parallelism": 1,
                         *       "rate": null,
                         *       "limitsFrom": {
                         *         "parallelism": "function",
                         *         "rate": null
                         *       },
                         *       "paused": false,
                         *       "pinned": false
                         *     }
                         */
                        "application/json": {
                            function: string;
                            key: string;
                            submitter?: string;
                            queue: string;
                            waiting: number;
                            running: number;
                            parallelism: number;
                            rate: string | null;
                            limitsFrom: {
                                parallelism: ("pin" | "function" | "caller") | null;
                                rate: ("pin" | "function" | "caller") | null;
                            };
                            paused: boolean;
                            pinned: boolean;
                        };
                    };
                };
            };
        };
        put: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example ledger */
                    function: string;
                    /** @example order-7 */
                    key: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    /**
                     * @example {
                     *       "parallelism": 3,
                     *       "rate": "10/1m"
                     *     }
                     */
                    "application/json": {
                        parallelism?: number;
                        /** @example 10/1m */
                        rate?: string;
                    };
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "function": "ledger",
                         *       "key": "order-7",
                         *       "queue": "default",
                         *       "waiting": 12,
                         *       "running": 1,
                         *       "parallelism": 3,
                         *       "rate": "10/1m",
                         *       "limitsFrom": {
                         *         "parallelism": "pin",
                         *         "rate": "pin"
                         *       },
                         *       "paused": false,
                         *       "pinned": true
                         *     }
                         */
                        "application/json": {
                            function: string;
                            key: string;
                            submitter?: string;
                            queue: string;
                            waiting: number;
                            running: number;
                            parallelism: number;
                            rate: string | null;
                            limitsFrom: {
                                parallelism: ("pin" | "function" | "caller") | null;
                                rate: ("pin" | "function" | "caller") | null;
                            };
                            paused: boolean;
                            pinned: boolean;
                        };
                    };
                };
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example ledger */
                    function: string;
                    /** @example order-7 */
                    key: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/flows/{function}/{key}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example ledger */
                    function: string;
                    /** @example order-7 */
                    key: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "function": "ledger",
                         *       "key": "order-7",
                         *       "queue": "default",
                         *       "waiting": 12,
                         *       "running": 1,
                         *       "parallelism": 1,
                         *       "rate": null,
                         *       "limitsFrom": {
                         *         "parallelism": "function",
                         *         "rate": null
                         *       },
                         *       "paused": true,
                         *       "pinned": false
                         *     }
                         */
                        "application/json": {
                            function: string;
                            key: string;
                            submitter?: string;
                            queue: string;
                            waiting: number;
                            running: number;
                            parallelism: number;
                            rate: string | null;
                            limitsFrom: {
                                parallelism: ("pin" | "function" | "caller") | null;
                                rate: ("pin" | "function" | "caller") | null;
                            };
                            paused: boolean;
                            pinned: boolean;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/flows/{function}/{key}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: {
                    /** @example partner-x */
                    submitter?: string;
                };
                header?: never;
                path: {
                    /** @example ledger */
                    function: string;
                    /** @example order-7 */
                    key: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "function": "ledger",
                         *       "key": "order-7",
                         *       "queue": "default",
                         *       "waiting": 12,
                         *       "running": 1,
                         *       "parallelism": 1,
                         *       "rate": null,
                         *       "limitsFrom": {
                         *         "parallelism": "function",
                         *         "rate": null
                         *       },
                         *       "paused": false,
                         *       "pinned": false
                         *     }
                         */
                        "application/json": {
                            function: string;
                            key: string;
                            submitter?: string;
                            queue: string;
                            waiting: number;
                            running: number;
                            parallelism: number;
                            rate: string | null;
                            limitsFrom: {
                                parallelism: ("pin" | "function" | "caller") | null;
                                rate: ("pin" | "function" | "caller") | null;
                            };
                            paused: boolean;
                            pinned: boolean;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/functions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "functions": [
                         *         {
                         *           "name": "thumbnail",
                         *           "source": "api",
                         *           "paused": false,
                         *           "url": "http://thumbnail:8080",
                         *           "queue": "images",
                         *           "timeout": "15m",
                         *           "concurrency": 50,
                         *           "retry": {
                         *             "attempts": 10,
                         *             "minWait": "10s",
                         *             "maxWait": "2m",
                         *             "backoff": "full",
                         *             "codes": [
                         *               429,
                         *               503
                         *             ]
                         *           }
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            functions: ({
                                name: string;
                                source: unknown;
                                paused: unknown;
                                discovered?: unknown;
                                defaultNamespace?: string;
                                url?: string;
                                queue?: string;
                                timeout?: unknown;
                                concurrency?: unknown;
                                rate?: string;
                                maxPending?: unknown;
                                flow?: unknown;
                                adaptive?: boolean;
                                callbackUrl?: string;
                                failureCallbackUrl?: string;
                                then?: unknown[];
                                webhook?: unknown;
                                retry?: unknown;
                            } & {
                                [key: string]: unknown;
                            })[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/functions/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example thumbnail */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        ETag?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "thumbnail",
                         *       "source": "api",
                         *       "paused": false,
                         *       "url": "http://thumbnail:8080",
                         *       "queue": "images",
                         *       "timeout": "15m",
                         *       "concurrency": 50,
                         *       "retry": {
                         *         "attempts": 10,
                         *         "minWait": "10s",
                         *         "maxWait": "2m",
                         *         "backoff": "full",
                         *         "codes": [
                         *           429,
                         *           503
                         *         ]
                         *       }
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            paused: unknown;
                            discovered?: unknown;
                            defaultNamespace?: string;
                            url?: string;
                            queue?: string;
                            timeout?: unknown;
                            concurrency?: unknown;
                            rate?: string;
                            maxPending?: unknown;
                            flow?: unknown;
                            adaptive?: boolean;
                            callbackUrl?: string;
                            failureCallbackUrl?: string;
                            then?: unknown[];
                            webhook?: unknown;
                            retry?: unknown;
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        put: {
            parameters: {
                query?: never;
                header?: {
                    /** @example "42" */
                    "If-Match"?: string;
                    /** @example * */
                    "If-None-Match"?: string;
                };
                path: {
                    /** @example thumbnail */
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    /**
                     * @example {
                     *       "url": "http://thumbnail:8080",
                     *       "queue": "images",
                     *       "timeout": "15m",
                     *       "concurrency": 50,
                     *       "retry": {
                     *         "attempts": 10,
                     *         "minWait": "10s",
                     *         "maxWait": "2m",
                     *         "backoff": "full",
                     *         "codes": [
                     *           429,
                     *           503
                     *         ]
                     *       }
                     *     }
                     */
                    "application/json": {
                        url?: string;
                        queue?: string;
                        timeout?: unknown;
                        concurrency?: unknown;
                        rate?: string;
                        maxPending?: unknown;
                        flow?: unknown;
                        adaptive?: boolean;
                        callbackUrl?: string;
                        failureCallbackUrl?: string;
                        then?: unknown[];
                        webhook?: unknown;
                        retry?: unknown;
                    };
                };
            };
            responses: {
                200: {
                    headers: {
                        ETag?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "thumbnail",
                         *       "source": "api",
                         *       "paused": false,
                         *       "url": "http://thumbnail:8080",
                         *       "queue": "images",
                         *       "timeout": "15m",
                         *       "concurrency": 50,
                         *       "retry": {
                         *         "attempts": 10,
                         *         "minWait": "10s",
                         *         "maxWait": "2m",
                         *         "backoff": "full",
                         *         "codes": [
                         *           429,
                         *           503
                         *         ]
                         *       }
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            paused: unknown;
                            discovered?: unknown;
                            defaultNamespace?: string;
                            url?: string;
                            queue?: string;
                            timeout?: unknown;
                            concurrency?: unknown;
                            rate?: string;
                            maxPending?: unknown;
                            flow?: unknown;
                            adaptive?: boolean;
                            callbackUrl?: string;
                            failureCallbackUrl?: string;
                            then?: unknown[];
                            webhook?: unknown;
                            retry?: unknown;
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
                201: {
                    headers: {
                        ETag?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "thumbnail",
                         *       "source": "api",
                         *       "paused": false,
                         *       "url": "http://thumbnail:8080",
                         *       "queue": "images",
                         *       "timeout": "15m",
                         *       "concurrency": 50,
                         *       "retry": {
                         *         "attempts": 10,
                         *         "minWait": "10s",
                         *         "maxWait": "2m",
                         *         "backoff": "full",
                         *         "codes": [
                         *           429,
                         *           503
                         *         ]
                         *       }
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            paused: unknown;
                            discovered?: unknown;
                            defaultNamespace?: string;
                            url?: string;
                            queue?: string;
                            timeout?: unknown;
                            concurrency?: unknown;
                            rate?: string;
                            maxPending?: unknown;
                            flow?: unknown;
                            adaptive?: boolean;
                            callbackUrl?: string;
                            failureCallbackUrl?: string;
                            then?: unknown[];
                            webhook?: unknown;
                            retry?: unknown;
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: {
                    purge?: boolean;
                };
                header?: {
                    /** @example "42" */
                    "If-Match"?: string;
                    /** @example * */
                    "If-None-Match"?: string;
                };
                path: {
                    /** @example thumbnail */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        "Retry-After"?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "purged": 31232,
                         *       "done": false
                         *     }
                         */
                        "application/json": {
                            purged: number;
                            done: boolean;
                        };
                    };
                };
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/functions/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example thumbnail */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        ETag?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "thumbnail",
                         *       "source": "api",
                         *       "paused": true,
                         *       "url": "http://thumbnail:8080",
                         *       "queue": "images",
                         *       "timeout": "15m",
                         *       "concurrency": 50,
                         *       "retry": {
                         *         "attempts": 10,
                         *         "minWait": "10s",
                         *         "maxWait": "2m",
                         *         "backoff": "full",
                         *         "codes": [
                         *           429,
                         *           503
                         *         ]
                         *       }
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            paused: unknown;
                            discovered?: unknown;
                            defaultNamespace?: string;
                            url?: string;
                            queue?: string;
                            timeout?: unknown;
                            concurrency?: unknown;
                            rate?: string;
                            maxPending?: unknown;
                            flow?: unknown;
                            adaptive?: boolean;
                            callbackUrl?: string;
                            failureCallbackUrl?: string;
                            then?: unknown[];
                            webhook?: unknown;
                            retry?: unknown;
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/functions/{name}/purge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example thumbnail */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "purged": 1204,
                         *       "done": true
                         *     }
                         */
                        "application/json": {
                            purged: number;
                            done: boolean;
                        };
                    };
                };
                202: {
                    headers: {
                        "Retry-After"?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "purged": 31232,
                         *       "done": false
                         *     }
                         */
                        "application/json": {
                            purged: number;
                            done: boolean;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/functions/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example thumbnail */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        ETag?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "thumbnail",
                         *       "source": "api",
                         *       "paused": false,
                         *       "url": "http://thumbnail:8080",
                         *       "queue": "images",
                         *       "timeout": "15m",
                         *       "concurrency": 50,
                         *       "retry": {
                         *         "attempts": 10,
                         *         "minWait": "10s",
                         *         "maxWait": "2m",
                         *         "backoff": "full",
                         *         "codes": [
                         *           429,
                         *           503
                         *         ]
                         *       }
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            paused: unknown;
                            discovered?: unknown;
                            defaultNamespace?: string;
                            url?: string;
                            queue?: string;
                            timeout?: unknown;
                            concurrency?: unknown;
                            rate?: string;
                            maxPending?: unknown;
                            flow?: unknown;
                            adaptive?: boolean;
                            callbackUrl?: string;
                            failureCallbackUrl?: string;
                            then?: unknown[];
                            webhook?: unknown;
                            retry?: unknown;
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/processes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "processes": [
                         *         {
                         *           "kind": "worker",
                         *           "id": "worker-1:7",
                         *           "version": "0.3.0",
                         *           "startedAt": "2026-01-31T12:00:00.000Z",
                         *           "server": "nats-1:4222",
                         *           "reconnects": 0,
                         *           "memoryBytes": 79691776,
                         *           "slots": 100,
                         *           "inFlight": 12
                         *         }
                         *       ],
                         *       "functions": [
                         *         {
                         *           "function": "thumbnail",
                         *           "inFlight": 12,
                         *           "limit": 40,
                         *           "attempts": 5120,
                         *           "failed": 17
                         *         }
                         *       ],
                         *       "audited": {
                         *         "ended": 812,
                         *         "missing": 0,
                         *         "unknown": 0
                         *       }
                         *     }
                         */
                        "application/json": {
                            processes: {
                                kind: string;
                                id: string;
                                version: string;
                                /** Format: date-time */
                                startedAt: string;
                                server: string;
                                reconnects: number;
                                memoryBytes: number;
                                slots?: number;
                                inFlight?: number;
                            }[];
                            functions: {
                                function: string;
                                inFlight: number;
                                limit?: number;
                                attempts: number;
                                failed: number;
                            }[];
                            audited: {
                                ended: number;
                                missing: number;
                                unknown: number;
                            };
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/queues": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "queues": [
                         *         {
                         *           "queue": "default",
                         *           "depth": 1204,
                         *           "scheduled": 17,
                         *           "inFlight": 50,
                         *           "oldestAgeSeconds": 24.113,
                         *           "bytes": 3145728,
                         *           "maxBytes": 10737418240,
                         *           "rates": {
                         *             "inPerSecond": 210.5,
                         *             "outPerSecond": 248.2
                         *           },
                         *           "durability": {
                         *             "level": "quorum",
                         *             "storage": "file",
                         *             "replicas": 3
                         *           }
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            queues: {
                                queue: string;
                                depth: number;
                                scheduled: number;
                                inFlight: number;
                                oldestAgeSeconds: number;
                                bytes: number;
                                maxBytes: number | null;
                                rates: {
                                    inPerSecond: number;
                                    outPerSecond: number;
                                };
                                durability: {
                                    level: string;
                                    storage: string;
                                    replicas: number;
                                };
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/queues/{queue}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example default */
                    queue: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "queue": "default",
                         *       "depth": 1204,
                         *       "scheduled": 17,
                         *       "inFlight": 50,
                         *       "oldestAgeSeconds": 24.113,
                         *       "bytes": 3145728,
                         *       "maxBytes": 10737418240,
                         *       "rates": {
                         *         "inPerSecond": 210.5,
                         *         "outPerSecond": 248.2
                         *       },
                         *       "durability": {
                         *         "level": "quorum",
                         *         "storage": "file",
                         *         "replicas": 3
                         *       },
                         *       "functions": [
                         *         {
                         *           "function": "thumbnail",
                         *           "depth": 1204,
                         *           "inFlight": 50,
                         *           "paused": false
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            queue: string;
                            depth: number;
                            scheduled: number;
                            inFlight: number;
                            oldestAgeSeconds: number;
                            bytes: number;
                            maxBytes: number | null;
                            rates: {
                                inPerSecond: number;
                                outPerSecond: number;
                            };
                            durability: {
                                level: string;
                                storage: string;
                                replicas: number;
                            };
                            functions: {
                                function: string;
                                depth: number;
                                inFlight: number;
                                paused: boolean;
                            }[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/queues/{queue}/purge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example default */
                    queue: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "purged": 1204,
                         *       "done": true
                         *     }
                         */
                        "application/json": {
                            purged: number;
                            done: boolean;
                        };
                    };
                };
                202: {
                    headers: {
                        "Retry-After"?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "purged": 31232,
                         *       "done": false
                         *     }
                         */
                        "application/json": {
                            purged: number;
                            done: boolean;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/scaling/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example thumbnail */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "pending": 1204,
                         *       "inFlight": 50,
                         *       "oldestAgeSeconds": 24.113
                         *     }
                         */
                        "application/json": {
                            pending: number;
                            inFlight: number;
                            oldestAgeSeconds: number;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "schedules": [
                         *         {
                         *           "name": "nightly",
                         *           "source": "api",
                         *           "createdAt": "2026-11-30T08:00:00.000Z",
                         *           "overlap": "allow",
                         *           "catchUp": "latest",
                         *           "catchUpWindow": "1h",
                         *           "function": "report",
                         *           "cron": "0 3 * * *",
                         *           "timeZone": "Europe/Berlin",
                         *           "json": {
                         *             "full": true
                         *           },
                         *           "paused": false,
                         *           "next": [
                         *             "2026-12-01T02:00:00.000Z",
                         *             "2026-12-02T02:00:00.000Z"
                         *           ]
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            schedules: ({
                                name: string;
                                source: unknown;
                                /** Format: date-time */
                                createdAt: string;
                                paused: boolean;
                                next: string[];
                                function: string;
                                path?: string;
                                headers?: {
                                    [key: string]: unknown;
                                };
                                body?: string;
                                bodyBase64?: string;
                                json?: unknown;
                                cron?: string;
                                every?: string;
                                timeZone?: string;
                                overlap?: string;
                                catchUp?: string;
                                catchUpWindow?: string;
                                jitter?: string;
                            } & {
                                [key: string]: unknown;
                            })[];
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/schedules/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example nightly */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "nightly",
                         *       "source": "api",
                         *       "createdAt": "2026-11-30T08:00:00.000Z",
                         *       "overlap": "allow",
                         *       "catchUp": "latest",
                         *       "catchUpWindow": "1h",
                         *       "function": "report",
                         *       "cron": "0 3 * * *",
                         *       "timeZone": "Europe/Berlin",
                         *       "json": {
                         *         "full": true
                         *       },
                         *       "paused": false,
                         *       "next": [
                         *         "2026-12-01T02:00:00.000Z",
                         *         "2026-12-02T02:00:00.000Z"
                         *       ],
                         *       "last": [
                         *         {
                         *           "at": "2026-11-30T02:00:00.000Z",
                         *           "callId": "4f1b8f2e-5d0a-8a51-9d0a-0d9f1f6f2b11"
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            /** Format: date-time */
                            createdAt: string;
                            paused: boolean;
                            next: string[];
                            function: string;
                            path?: string;
                            headers?: {
                                [key: string]: unknown;
                            };
                            body?: string;
                            bodyBase64?: string;
                            json?: unknown;
                            cron?: string;
                            every?: string;
                            timeZone?: string;
                            overlap?: string;
                            catchUp?: string;
                            catchUpWindow?: string;
                            jitter?: string;
                            last: {
                                /** Format: date-time */
                                at: string;
                                callId: string;
                            }[];
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example nightly */
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    /**
                     * @example {
                     *       "function": "report",
                     *       "cron": "0 3 * * *",
                     *       "timeZone": "Europe/Berlin",
                     *       "json": {
                     *         "full": true
                     *       }
                     *     }
                     */
                    "application/json": {
                        function: string;
                        path?: string;
                        headers?: {
                            [key: string]: unknown;
                        };
                        body?: string;
                        bodyBase64?: string;
                        json?: unknown;
                        cron?: string;
                        every?: string;
                        timeZone?: string;
                        overlap?: string;
                        catchUp?: string;
                        catchUpWindow?: string;
                        jitter?: string;
                        paused?: boolean;
                    };
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "nightly",
                         *       "source": "api",
                         *       "createdAt": "2026-11-30T08:00:00.000Z",
                         *       "overlap": "allow",
                         *       "catchUp": "latest",
                         *       "catchUpWindow": "1h",
                         *       "function": "report",
                         *       "cron": "0 3 * * *",
                         *       "timeZone": "Europe/Berlin",
                         *       "json": {
                         *         "full": true
                         *       },
                         *       "paused": false,
                         *       "next": [
                         *         "2026-12-01T02:00:00.000Z",
                         *         "2026-12-02T02:00:00.000Z"
                         *       ],
                         *       "last": [
                         *         {
                         *           "at": "2026-11-30T02:00:00.000Z",
                         *           "callId": "4f1b8f2e-5d0a-8a51-9d0a-0d9f1f6f2b11"
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            /** Format: date-time */
                            createdAt: string;
                            paused: boolean;
                            next: string[];
                            function: string;
                            path?: string;
                            headers?: {
                                [key: string]: unknown;
                            };
                            body?: string;
                            bodyBase64?: string;
                            json?: unknown;
                            cron?: string;
                            every?: string;
                            timeZone?: string;
                            overlap?: string;
                            catchUp?: string;
                            catchUpWindow?: string;
                            jitter?: string;
                            last: {
                                /** Format: date-time */
                                at: string;
                                callId: string;
                            }[];
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "nightly",
                         *       "source": "api",
                         *       "createdAt": "2026-11-30T08:00:00.000Z",
                         *       "overlap": "allow",
                         *       "catchUp": "latest",
                         *       "catchUpWindow": "1h",
                         *       "function": "report",
                         *       "cron": "0 3 * * *",
                         *       "timeZone": "Europe/Berlin",
                         *       "json": {
                         *         "full": true
                         *       },
                         *       "paused": false,
                         *       "next": [
                         *         "2026-12-01T02:00:00.000Z",
                         *         "2026-12-02T02:00:00.000Z"
                         *       ],
                         *       "last": [
                         *         {
                         *           "at": "2026-11-30T02:00:00.000Z",
                         *           "callId": "4f1b8f2e-5d0a-8a51-9d0a-0d9f1f6f2b11"
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            /** Format: date-time */
                            createdAt: string;
                            paused: boolean;
                            next: string[];
                            function: string;
                            path?: string;
                            headers?: {
                                [key: string]: unknown;
                            };
                            body?: string;
                            bodyBase64?: string;
                            json?: unknown;
                            cron?: string;
                            every?: string;
                            timeZone?: string;
                            overlap?: string;
                            catchUp?: string;
                            catchUpWindow?: string;
                            jitter?: string;
                            last: {
                                /** Format: date-time */
                                at: string;
                                callId: string;
                            }[];
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        post?: never;
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example nightly */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/schedules/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example nightly */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "nightly",
                         *       "source": "api",
                         *       "createdAt": "2026-11-30T08:00:00.000Z",
                         *       "overlap": "allow",
                         *       "catchUp": "latest",
                         *       "catchUpWindow": "1h",
                         *       "function": "report",
                         *       "cron": "0 3 * * *",
                         *       "timeZone": "Europe/Berlin",
                         *       "json": {
                         *         "full": true
                         *       },
                         *       "paused": true,
                         *       "next": [],
                         *       "last": [
                         *         {
                         *           "at": "2026-11-30T02:00:00.000Z",
                         *           "callId": "4f1b8f2e-5d0a-8a51-9d0a-0d9f1f6f2b11"
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            /** Format: date-time */
                            createdAt: string;
                            paused: boolean;
                            next: string[];
                            function: string;
                            path?: string;
                            headers?: {
                                [key: string]: unknown;
                            };
                            body?: string;
                            bodyBase64?: string;
                            json?: unknown;
                            cron?: string;
                            every?: string;
                            timeZone?: string;
                            overlap?: string;
                            catchUp?: string;
                            catchUpWindow?: string;
                            jitter?: string;
                            last: {
                                /** Format: date-time */
                                at: string;
                                callId: string;
                            }[];
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/schedules/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example nightly */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "nightly",
                         *       "source": "api",
                         *       "createdAt": "2026-11-30T08:00:00.000Z",
                         *       "overlap": "allow",
                         *       "catchUp": "latest",
                         *       "catchUpWindow": "1h",
                         *       "function": "report",
                         *       "cron": "0 3 * * *",
                         *       "timeZone": "Europe/Berlin",
                         *       "json": {
                         *         "full": true
                         *       },
                         *       "paused": false,
                         *       "next": [
                         *         "2026-12-01T02:00:00.000Z",
                         *         "2026-12-02T02:00:00.000Z"
                         *       ],
                         *       "last": [
                         *         {
                         *           "at": "2026-11-30T02:00:00.000Z",
                         *           "callId": "4f1b8f2e-5d0a-8a51-9d0a-0d9f1f6f2b11"
                         *         }
                         *       ]
                         *     }
                         */
                        "application/json": {
                            name: string;
                            source: unknown;
                            /** Format: date-time */
                            createdAt: string;
                            paused: boolean;
                            next: string[];
                            function: string;
                            path?: string;
                            headers?: {
                                [key: string]: unknown;
                            };
                            body?: string;
                            bodyBase64?: string;
                            json?: unknown;
                            cron?: string;
                            every?: string;
                            timeZone?: string;
                            overlap?: string;
                            catchUp?: string;
                            catchUpWindow?: string;
                            jitter?: string;
                            last: {
                                /** Format: date-time */
                                at: string;
                                callId: string;
                            }[];
                        } & {
                            [key: string]: unknown;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/schedules/{name}/trigger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example nightly */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "callId": "0197a6f0-5c2e-7c33-9d0a-0d9f1f6f2b11",
                         *       "function": "report",
                         *       "status": "queued"
                         *     }
                         */
                        "application/json": {
                            callId: string;
                            function: string;
                            status: string;
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        /**
                         * @example {
                         *       "name": "partner-x",
                         *       "scopes": [
                         *         "invoke",
                         *         "read"
                         *       ],
                         *       "needsToken": true,
                         *       "version": "0.3.0"
                         *     }
                         */
                        "application/json": {
                            name?: string;
                            scopes: string[];
                            needsToken: boolean;
                            version: string;
                        };
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhook/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: {
            parameters: {
                query?: {
                    /** @example subscribe */
                    "hub.mode"?: string;
                    "hub.verify_token"?: string;
                    /** @example 1158201444 */
                    "hub.challenge"?: string;
                };
                header?: never;
                path: {
                    /** @example github */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
            };
        };
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @example github */
                    name: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "*/*": unknown;
                };
            };
            responses: {
                "2XX": {
                    headers: {
                        "X-Call-Id"?: unknown;
                        "Idempotency-Replayed"?: unknown;
                        [name: string]: unknown;
                    };
                    content: {
                        "*/*": string;
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: never;
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
