/**
 * The log of a web server: a line for each request, when it is over.
 *
 *     2026-11-21T04:06:24.012Z 127.0.0.1 POST /cookbook/sync 200 in 1204 out 88123 31 ms ana
 *     <time> <address> <method> <path> <status> in <bytes> out <bytes> <milliseconds> ms [<token's name>] [<what went wrong>]
 *
 * @module
 */

/** One request, when it is over. */
export interface Access {
  readonly time: Date
  readonly address: string
  readonly method: string
  /** As the client sent it. */
  readonly path: string
  readonly status: number
  readonly received: number
  readonly sent: number
  readonly milliseconds: number
  readonly token?: string | undefined
  readonly error?: string | undefined
}

/** Characters of a path that are shown. */
const PATH_LENGTH = 200

/** The line, without its newline. Nothing that came from outside can begin another line, or colour a terminal. */
export function formatAccess(access: Access): string {
  const { time, address, method, path, status, received, sent, milliseconds, token, error } = access
  const words = [time.toISOString(), address, method, shown(path), status, `in ${received} out ${sent}`]
  words.push(
    `${Math.round(milliseconds)} ms`,
    ...(token === undefined ? [] : [token]),
    ...(error === undefined ? [] : [shown(error)]),
  )
  return words.join(' ')
}

function shown(text: string): string {
  const short = text.length > PATH_LENGTH ? `${text.slice(0, PATH_LENGTH)}...` : text
  return short.replace(/[^\x20-\x7e]/g, (char) => `%${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`)
}
