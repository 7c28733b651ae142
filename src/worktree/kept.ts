/**
 * Contents that a command took out of the work tree before any version held them: kept so that it can be undone.
 *
 *     .weft/kept/<first 2 hex digits>/<other 62>     the content, gzip
 *
 * Named by their SHA-256, so that a content is there once however often it was replaced.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { makeDirectory, writeDurably } from '../repo/durable.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'

/** A content is never larger unpacked: what a work tree file can be here. */
const CONTENT_LIMIT = 2 ** 31

function keptPath(root: string, sha256: string): string {
  return join(root, WEFT_DIRECTORY, 'kept', sha256.slice(0, 2), sha256.slice(2))
}

/**
 * Keeps a content. It is on the disk when this returns.
 *
 * @param sha256 - Hex.
 */
export function keepContent(root: string, sha256: string, content: Uint8Array): void {
  const path = keptPath(root, sha256)
  if (isSound(root, sha256)) return
  makeDirectory(dirname(path))
  writeDurably(path, gzipSync(content, { level: 1 }))
}

/** Whether a content is kept already, and could be had back: this may be the last time that it is seen elsewhere. */
function isSound(root: string, sha256: string): boolean {
  if (!existsSync(keptPath(root, sha256))) return false
  try {
    keptContent(root, sha256)
    return true
  } catch (error) {
    if (error instanceof CodedError && error.code === 'CONTENT_DAMAGED') return false
    throw error
  }
}

/**
 * A content that was kept.
 *
 * @throws {CodedError} `CONTENT_DAMAGED` where the file is not what its name says; `CONTENT_UNKNOWN` where there is none.
 */
export function keptContent(root: string, sha256: string): Uint8Array {
  const path = keptPath(root, sha256)
  if (!existsSync(path)) {
    throw new CodedError('CONTENT_UNKNOWN', `The content ${sha256} was to be kept in ${path} and is not there.`)
  }
  let content: Uint8Array
  try {
    content = gunzipSync(readFileSync(path), { maxOutputLength: CONTENT_LIMIT })
  } catch (cause) {
    throw new CodedError('CONTENT_DAMAGED', `The kept content ${path} is damaged.`, { cause })
  }
  if (crypto.sha256Hex(content) !== sha256) {
    throw new CodedError('CONTENT_DAMAGED', `The kept content ${path} is not the one that it is named for.`)
  }
  return content
}
