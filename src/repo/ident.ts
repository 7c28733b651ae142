/**
 * Idents made now, with the clock and zone of this machine.
 * @module
 */
import { encodeUtf8 } from '../base/bytes.js'
import type { Ident } from '../history/header.js'

/** Who stands in the versions that only move names. */
const PROGRAM = { name: 'weft', email: '' }

/** A person, by default the program itself, and the present moment. */
export function identNow({ name, email }: { name: string; email: string } = PROGRAM): Ident {
  const now = new Date()
  return {
    name: encodeUtf8(name),
    email: encodeUtf8(email),
    time: Math.floor(now.getTime() / 1000),
    zone: -now.getTimezoneOffset(),
  }
}
