/**
 * Fuzzing of the replicated types: `npm run fuzz:rdx [-- --minutes 10] [--seed n]`.
 *
 * Random bytes and mutations of good states go to `check`, `string`, `plain`, `merge`, `diff`, `vector` and `compare`; random
 * and mutated texts to `parse`. Nothing may throw but `parse`, and that only `RDX_TEXT`; what is answered must hold together
 * (see `askState`). Inputs that are valid in an unusual way join the corpus, so that later mutations start from them.
 *
 * A finding ends the run with status 1 and is printed as hex; it belongs into test/rdx-faults.test.ts.
 * @module
 */
import { parseArgs } from 'node:util'
import { fromHex, toHex } from '../../src/base/bytes.js'
import { TYPES, typeOf } from '../../src/rdx/types.js'
import { askState, askText } from '../support/rdx-ask.js'

const LETTERS = Object.keys(TYPES)

/** What mutations begin with: a few values of each type. */
const TEXTS: Record<string, string[]> = {
  C: ['C<-7>', 'C<0>'],
  E: ['{}', '{1{1,1},2{-2,1}}', '{1.5,-3{5,2},5-1,"text",t"two words"{3,300}}'],
  F: ['1.5{2,3}', '-inf'],
  I: ['5{-3,7}', '-9223372036854775808{9223372036854775807,18446744073709551615}'],
  L: ['[]', '[1,2,3]', '[1{1,1},12{5,2},2{2,1}<{1,1},null{-7,3}@{3,1}]'],
  M: ['{:}', '{1{3,1}:2{4,1},"key"{-1,1}:null}'],
  N: ['N<>', 'N<{2,1},{300,2}>'],
  R: ['5e95ba-1{1,2}'],
  S: ['"text \\n\\"é𝄞"{3,1}'],
  T: ['word', 'null{-1,2}', 't"two words"'],
  V: ['V<>', 'V<{1,2},{18446744073709551615,300}>'],
  Z: ['Z<>', 'Z<-1{1,1},5{-2,3}>'],
}

/** Bytes and chars that mean something, which a mutation puts in more often than others. */
const BYTES = [
  0, 1, 2, 0x30, 0x31, 0x32, 0x39, 0x3a, 0x69, 0x72, 0x73, 0x74, 0x75, 0x76, 0x49, 0x53, 0x7f, 0x80, 0xfe, 0xff,
]
const CHARS = [...'{}[]<>:,"\\@?-.0123456789aeftuxCNVZ \n\u0000é\ud834\udd1e']

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
if (!(minutes > 0) || !Number.isInteger(seed))
  throw new RangeError('expected --minutes to be over 0 and --seed an integer')
console.log(`fuzz:rdx --minutes ${minutes} --seed ${seed}`)

let state = seed
/** Chance with a seed: Mulberry32, by Tommy Ettinger. */
function below(limit: number): number {
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
}

const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T

/** Changes a sequence in one to four places: puts in, takes out, replaces, repeats a part, joins with another. */
function mutate<T>(parts: readonly T[], other: readonly T[], some: () => T): T[] {
  const changed = [...parts]
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(changed.length + 1)
    const length = below(5)
    const how = below(6)
    if (how === 0) changed.splice(at, 0, some())
    else if (how === 1) changed.splice(at, length)
    else if (how === 2 || how === 3) changed.splice(at, 1, some())
    else if (how === 4) changed.splice(at, 0, ...changed.slice(at, at + 2 * length))
    else changed.splice(at, length, ...other.slice(below(other.length + 1)))
  }
  return changed.slice(0, 400)
}

const corpus = new Map(
  LETTERS.map((letter) => [
    letter,
    (TEXTS[letter] ?? []).map((text) => typeOf(letter)?.parse(text) ?? (fromHex('') as Uint8Array)),
  ]),
)
const texts = LETTERS.flatMap((letter) => TEXTS[letter] ?? [])

/** Shapes of valid states seen so far: their texts with all that varies taken out. */
const shapes = new Set<string>()

function bytesFor(letter: string): Uint8Array {
  if (below(20) === 0) return Uint8Array.from({ length: below(40) }, () => below(256))
  const states = corpus.get(letter) ?? []
  const other = pick(corpus.get(pick(LETTERS)) ?? states)
  return Uint8Array.from(mutate([...pick(states)], [...other], () => (below(2) === 0 ? pick(BYTES) : below(256))))
}

/** Keeps a valid state of a new shape for later mutations. */
function learn(letter: string, tlv: Uint8Array): void {
  const text = typeOf(letter)?.string(tlv)
  if (text === undefined) return
  const shape =
    letter +
    text
      .replace(/\d+/g, '0')
      .replace(/"[^"]*"/g, '""')
      .slice(0, 60)
  if (shapes.has(shape) || shapes.size > 5000) return
  shapes.add(shape)
  corpus.get(letter)?.push(tlv)
}

const end = Date.now() + minutes * 60_000
let rounds = 0
while (rounds % 256 !== 0 || Date.now() < end) {
  rounds++
  const letter = pick(LETTERS)
  const [a, b, c] = [bytesFor(letter), bytesFor(letter), bytesFor(letter)]
  const text = mutate([...pick(texts)], [...pick(texts)], () => pick(CHARS)).join('')
  try {
    askState(letter, a, b, c)
    askText(letter, text)
    askText(undefined, text)
  } catch (error) {
    console.error(`round ${rounds}, type ${letter}: ${[a, b, c].map(toHex).join(' ')} ${JSON.stringify(text)}`)
    throw error
  }
  learn(letter, a)
}
const kept = [...corpus.values()].reduce((sum, states) => sum + states.length, 0)
console.log(`${rounds} rounds, ${kept} states kept, nothing found`)
