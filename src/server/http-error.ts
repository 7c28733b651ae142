/**
 * What a web server answers instead of an exchange: a status, and JSON as the command line has it for errors.
 *
 *     { "error": { "code", "message", "hint"? } }
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import { type Code, CodedError } from '../base/error.js'

/** Statuses of what a server itself has to say; other codes are the server's own trouble, 500. */
const STATUS: Partial<Record<Code, number>> = {
  BODY_TOO_LARGE: 413,
  METHOD_UNKNOWN: 405,
  REPO_NOT_FOUND: 404,
  SERVER_BUSY: 503,
  STORE_LOCKED: 503,
  TOKEN_EXPOSED: 403,
  TOKEN_NEEDED: 401,
  TOKEN_REFUSED: 401,
  TOO_MANY_REQUESTS: 429,
  TYPE_UNKNOWN: 415,
}

/** Seconds after which it is worth another try, where the error does not say. */
const RETRY: Readonly<Record<number, number>> = { 429: 10, 503: 5 }

/** What is told of any failure; of those that are not expected no more than that they happened. */
export function toldError(error: unknown): CodedError {
  if (error instanceof CodedError && (STATUS[error.code] !== undefined || error.blame !== 'bug')) return error
  return new CodedError('SERVER_FAILED', 'Something went wrong at the server.', { cause: error })
}

/**
 * Answers with an error, if no answer was begun yet.
 *
 * @returns the status of the answer.
 */
export function sendError(response: ServerResponse, error: CodedError): number {
  if (response.headersSent) return response.statusCode
  const status = STATUS[error.code] ?? 500
  const { code, message, hint, data } = error
  const body = JSON.stringify({ error: { code, message, ...(hint === undefined ? {} : { hint }) } })
  response.statusCode = status
  if (status === 401) response.setHeader('www-authenticate', 'Bearer realm="weft"')
  if (status === 405) response.setHeader('allow', 'POST')
  const retry = RETRY[status]
  if (retry !== undefined) response.setHeader('retry-after', String(data?.['seconds'] ?? retry))
  sendJson(response, `${body}\n`)
  return status
}

/** Sends all of an answer, but does not end it: a connection may be closed at its end, whoever is still sending there. */
export function sendJson(response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('content-length', Buffer.byteLength(body))
  response.write(body)
}
