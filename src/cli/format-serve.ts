/**
 * Serving in words: to whom, and with which tokens.
 * @module
 */
import type { NewToken, TokenInfo } from '../server/tokens.js'
import { columns } from './format.js'
import type { Style } from './style.js'

/** The token by itself in a line, to be copied. */
export function formatNewToken({ token, name, access }: NewToken, { bold, safe }: Style): string {
  return [
    bold(token),
    `This is ${safe(name)}, for ${uses(access)}. It is shown only now; weft serve token remove ${safe(name)} takes it back.`,
    '',
  ].join('\n')
}

export function formatTokens(tokens: readonly TokenInfo[], { safe }: Style): string {
  if (tokens.length === 0) return 'There are no tokens yet: weft serve token add --read or --write makes one.\n'
  return columns(tokens.map(({ name, access, created, id }) => [safe(name), access, created, id]))
}

export function formatRemovedToken({ name }: TokenInfo, { safe }: Style): string {
  return `Nobody gets in with ${safe(name)} any more.\n`
}

function uses(access: TokenInfo['access']): string {
  return access === 'write' ? 'reading and writing' : 'reading'
}
/** What a server says when it begins. */
export interface ServeStart {
  /** `http://127.0.0.1:9338/`. Behind it comes the path of a repository, where a folder is served. */
  readonly url: string
  readonly address: string
  readonly port: number
  /** What is served, absolute. */
  readonly root: string
  readonly kind: 'repository' | 'folder'
}

export function formatServe({ url, root, kind }: ServeStart, { safe, bold }: Style): string {
  const what = kind === 'repository' ? safe(root) : `the repositories below ${safe(root)}`
  const where = kind === 'repository' ? bold(url) : `${bold(url)}<path>`
  return `Serving ${what} at ${where}. Ctrl-C ends it.\n`
}
