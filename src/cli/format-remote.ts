/**
 * Remotes in words. Tokens are never shown.
 * @module
 */
import type { Remote } from '../sync/remotes.js'
import { columns } from './format.js'
import type { Style } from './style.js'

export function formatRemotes(remotes: readonly ListedRemote[], { bold, safe }: Style): string {
  if (remotes.length === 0) return 'There are no remotes: `weft remote add <name> <url>`.\n'
  return columns(
    remotes.map(({ name, url, hasToken }) => [bold(safe(name)), safe(url), hasToken ? '(with a token)' : '']),
  )
}

/** A remote as lists show it. */
export interface ListedRemote extends Pick<Remote, 'name' | 'url'> {
  readonly hasToken: boolean
}

export function listedRemote({ name, url, token }: Remote): ListedRemote {
  return { name, url, hasToken: token !== undefined }
}

export function formatRemovedRemote({ name }: ListedRemote, { safe }: Style): string {
  return `Forgot ${safe(name)}. What came from there stays.\n`
}
