/**
 * Addresses of replicas:
 *
 *     ../other, /srv/project                 a repository in another directory
 *     ssh://user@host:port/path              `weft serve --stdio <path>` over ssh; `/~/path` is below the home directory
 *     http://host:port/path, https://...     a web server: `weft serve`
 *     history.weft                           a bundle file; read only
 *
 * @module
 */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { CodedError } from '../base/error.js'

/** An address, taken apart. */
export type PeerUrl =
  | { readonly kind: 'directory' | 'bundle'; readonly path: string }
  | { readonly kind: 'http'; readonly url: URL }
  | { readonly kind: 'ssh'; readonly host: string; readonly port: string | undefined; readonly path: string }

/**
 * Takes an address apart.
 *
 * @param from - Directory that paths are relative to.
 * @throws {CodedError} `REMOTE_BAD` for an address of a kind that is not known; `REMOTE_NOT_FOUND` for a path at which there
 *   is nothing.
 */
export function parsePeerUrl(text: string, from: string): PeerUrl {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return pathUrl(text, from)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw badUrl(text, 'it is malformed')
  switch (scheme) {
    case 'http':
    case 'https':
      return { kind: 'http', url }
    case 'ssh':
      return sshUrl(url, text)
    case 'file':
      return pathUrl(decodeURIComponent(url.pathname), from)
    default:
      throw badUrl(text, `${scheme}:// is not known`)
  }
}

function sshUrl({ hostname, username, port, pathname }: URL, text: string): PeerUrl {
  const path = decodeURIComponent(pathname).replace(/^\/~\//, '')
  const host = username === '' ? hostname : `${decodeURIComponent(username)}@${hostname}`
  // What begins with a hyphen would be an option to ssh.
  if (hostname === '' || host.startsWith('-') || path === '' || path.startsWith('-')) {
    throw badUrl(text, 'it names no host and path')
  }
  return { kind: 'ssh', host, port: port === '' ? undefined : port, path }
}

function pathUrl(text: string, from: string): PeerUrl {
  const path = resolve(from, text)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) return { kind: 'directory', path }
  if (found?.isFile() === true) return { kind: 'bundle', path }
  const [, host, rest] = /^([^/\\:]+@?[^/\\:]+):(.+)$/.exec(text) ?? []
  const hint =
    host === undefined
      ? 'Check the path, or name an address that begins with ssh://, http:// or https://.'
      : `For a path on another machine write ssh://${host}/${rest?.startsWith('/') ? rest.slice(1) : `~/${rest}`}.`
  throw new CodedError('REMOTE_NOT_FOUND', `There is nothing at ${text}.`, { hint })
}

function badUrl(text: string, why: string): CodedError {
  return new CodedError('REMOTE_BAD', `${text} is no address of a repository: ${why}.`, {
    hint: 'Addresses are a directory, a bundle file, or begin with ssh://, http:// or https://.',
  })
}
