/**
 * What changed within lines: the pieces must give back both sides.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '../src/base/bytes.js'
import { linesOfPieces, type Piece, wordDiff } from '../src/lines/words.js'
import { holds } from './support/property.js'

function shown(old: string, now: string): string {
  const mark = ({ kind, text }: Piece): string =>
    kind === 'same' ? text : kind === 'added' ? `{+${text}+}` : `[-${text}-]`
  const lines = linesOfPieces(wordDiff(encodeUtf8(old), encodeUtf8(now)))
  return lines.map((line) => line.map(mark).join('')).join('\n')
}

describe('words', () => {
  const cases: [name: string, old: string, now: string, want: string][] = [
    ['a name and an argument', 'int foo(a, b);\n', 'int bar(a, c, b);\n', 'int [-foo-]{+bar+}(a, {+c, +}b);'],
    ['words beside each other are one change', 'the quick fox\n', 'a slow fox\n', '[-the quick-]{+a slow+} fox'],
    ['a line that came', 'a\n', 'a\nb\n', 'a\n{+b+}'],
    ['a line that went', 'a\nb\n', 'a\n', 'a\n[-b-]'],
    ['an empty line that came', 'a\nb\n', 'a\n\nb\n', 'a\n{++}\nb'],
    ['an empty line that went', 'a\n\nb\n', 'a\nb\n', 'a\n[--]\nb'],
    ['lines that were joined', 'a\nb\n', 'a b\n', 'a{+ +}b'],
    ['letters beyond ASCII', 'naïve café\n', 'naïve thé\n', 'naïve [-cafÃ©-]{+thÃ©+}'.replace('naïve', 'naÃ¯ve')],
    ['a newline at the end', 'x', 'x\n', 'x'],
    ['nothing', '', '', ''],
  ]
  for (const [name, old, now, want] of cases) it(name, () => assert.equal(shown(old, now), want))

  it('give back both sides', () => {
    const text = fc.array(fc.constantFrom('ab', 'c', ' ', '\n', '(', '  ', '\t', 'é', 'ab1'), { maxLength: 40 })
    holds(
      fc.property(text, text, (a, b) => {
        const [old, now] = [encodeUtf8(a.join('')), encodeUtf8(b.join(''))]
        const pieces = wordDiff(old, now)
        const without = (kind: Piece['kind']): string =>
          pieces.flatMap((piece) => (piece.kind === kind ? [] : piece.text)).join('')
        assert.equal(without('added'), Buffer.from(old).toString('latin1'))
        assert.equal(without('deleted'), Buffer.from(now).toString('latin1'))
      }),
    )
  })
})
