/**
 * Keys of others in words.
 * @module
 */
import type { SignerChange, SignerInfo } from '../repo/results.js'
import { columns, count, person } from './format.js'
import type { Style } from './style.js'

/** How a key is named, for the help of every command that takes one. */
export const KEY_HELP =
  'A key is named by its fingerprint or the first digits of it, at least four, or by the name it was given here. weft key list shows them.'

/** One line per key: whether it is one's own, fingerprint, state, name, author, how much it signed. */
export function formatSigners(signers: readonly SignerInfo[], style: Style): string {
  if (signers.length === 0) return 'Nobody has written here yet.\n'
  const { bold, dim, safe } = style
  return columns(
    signers.map(({ fingerprint, own, state, name, author, versions }) => [
      `${own ? '*' : ' '} ${bold(fingerprint)}`,
      colour(state, style),
      name === undefined ? dim('-') : safe(name),
      author === undefined ? '-' : safe(person({ ...author, time: '' })),
      count(versions, 'version'),
    ]),
  )
}

function colour(state: SignerInfo['state'], { green, red }: Style): string {
  return state === 'trusted' ? green(state) : state === 'revoked' ? red(state) : state
}

export function formatSignerChange({ change, fingerprint, name, before, until }: SignerChange, style: Style): string {
  const { bold, safe } = style
  const key = `${bold(fingerprint)}${name === undefined || change === 'renamed' ? '' : ` (${safe(name)})`}`
  switch (change) {
    case 'trusted':
      return `The key ${key} is ${before === 'trusted' ? 'already' : 'now'} trusted.\n`
    case 'renamed':
      return `The key ${key} is called ${safe(name ?? '')} here.\n`
    case 'revoked': {
      const valid = until === '' ? 'Nothing that it signed is valid.' : `Up to ${until} what it signed is valid.`
      return `The key ${key} is revoked. ${valid}\n`
    }
  }
}
