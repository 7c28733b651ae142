/**
 * The README says what is so: every line of its tour is run, its library example too, and its tables are complete.
 *
 * In `README.md` a comment `<!-- tour -->` marks a block of shell: lines that begin with `$ ` are run, one after the
 * other in one directory, and what follows them is what they print. A line `...` stands for any lines. What differs from
 * run to run, such as ids that depend on a key, is compared by its form. `<!-- library -->` marks a program.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { CODES } from '../src/base/error.js'
import { HINTS } from '../src/cli/from-git.js'
import { temporary } from './support/temp.js'
import { HOME, ROOT } from './support/weft.js'

const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const MAP = readFileSync(join(ROOT, 'src/README.md'), 'utf8')

/** What the build knows of every command. */
interface Manifest {
  readonly commands: Record<
    string,
    { readonly flags: Record<string, { readonly name: string; readonly char?: string }> }
  >
}

/** The marked blocks of a kind, without their fences. */
function blocks(kind: string): string[] {
  const marked = new RegExp(`^<!-- ${kind} -->\\n\`\`\`\\w+\\n([^]*?)^\`\`\`$`, 'gm')
  return [...README.matchAll(marked)].map(([, text = '']) => text)
}

/** A command with the lines that are shown below it; none when the README shows nothing. */
interface Step {
  readonly command: string
  readonly shown: string[]
}

function stepsOf(block: string): Step[] {
  const steps: Step[] = []
  for (const line of block.replace(/\n$/, '').split('\n')) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: [] })
    else steps.at(-1)?.shown.push(line)
  }
  return steps
}

/** What differs from run to run, by its form. Ids of git commits and hashes of contents never differ, so they stay. */
const FORMS: readonly [form: RegExp, name: string][] = [
  [/^version [0-9a-f]{12}\b/, 'version <id>'],
  [/^[0-9a-f]{12}(?= [A-Z])/, '<id>'],
  [/(?<= [+-])[0-9a-f]{12}\b/g, '<id>'],
  [/(?<=^(\* | {2})?(main|party) +|^Undone.*|^Done again.* | at )[0-9a-f]{12}\b/, '<id>'],
  [/(?<= of |version |heads, |merged |repository )[0-9a-f]{12}\b/, '<id>'],
  [/\(\d[\d.,]* (?:bytes|kB)(?: in, \d[\d.,]* (?:bytes|kB) out)?\)/, '(<bytes>)'],
  [/\b[0-9a-f]{6}-(?=[0-9a-f]+\b)/g, '<stream>-'],
  [/(?<= to |repository in )\/[^\s,]+/, '<directory>'],
  [/\b\d+\.\d+ s\b/, '<time>'],
]

function formOf(line: string): string {
  return FORMS.reduce((text, [form, name]) => text.replace(form, name), line)
}

/** Compares lines with those shown, of which `...` stands for any number. */
function assertShown(printed: readonly string[], shown: readonly string[], command: string): void {
  const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const pattern = shown.map((line) => (line === '...' ? '(?:.*\\n)*?' : `${literal(formOf(line))}\\n`)).join('')
  const text = printed.map((line) => `${formOf(line)}\n`).join('')
  assert.match(text, new RegExp(`^${pattern}$`), `${command} prints something else than the README shows`)
}

/** A directory that looks like the root of the clone, with the command `weft` on the path. */
function makeClone(): { clone: string; env: NodeJS.ProcessEnv } {
  const place = temporary('readme')
  const clone = join(place, 'clone')
  const bin = join(place, 'bin')
  mkdirSync(clone)
  mkdirSync(bin)
  symlinkSync(join(ROOT, 'fixtures'), join(clone, 'fixtures'))
  symlinkSync(join(ROOT, 'bin/run.js'), join(bin, 'weft'))
  const PATH = `${bin}${delimiter}${process.env['PATH'] ?? ''}`
  return { clone, env: { ...process.env, PATH, WEFT_HOME: HOME, NO_COLOR: '1' } }
}

describe('the README', () => {
  it('has a tour that works line by line and prints what is shown', () => {
    const { clone, env } = makeClone()
    let cwd = clone
    const steps = blocks('tour').flatMap(stepsOf)
    assert.ok(steps.length > 10, `only ${steps.length} commands found`)
    for (const { command, shown } of steps) {
      if (command.startsWith('cd ')) {
        cwd = resolve(cwd, command.slice(3))
        continue
      }
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd, env, encoding: 'utf8' })
      assert.equal(status, 0, `${command}: ${stderr}`)
      const lines = stdout.split('\n')
      assert.equal(lines.pop(), '', `${command}: the last line has no end`)
      assertShown(lines, shown, command)
    }
  })

  it('has a library example that works', () => {
    const { clone, env } = makeClone()
    const [source] = blocks('library')
    assert.ok(source)
    mkdirSync(join(clone, 'node_modules'))
    symlinkSync(ROOT, join(clone, 'node_modules/weft-vcs'))
    writeFileSync(join(clone, 'example.mts'), source)
    const loader = import.meta.resolve('tsx')
    const options = { cwd: clone, env, encoding: 'utf8' } as const
    const lines = execFileSync(process.execPath, ['--import', loader, 'example.mts'], options).trimEnd().split('\n')
    assert.match(lines[0] ?? '', /^[0-9a-f]{64} Ana Ruiz Pancakes: lemon$/)
    assert.equal(lines.at(-1), '303 - 250 ml milk true 0')
  })

  it('names every command', () => {
    const files = readdirSync(join(ROOT, 'src/commands'), { recursive: true, encoding: 'utf8' })
    const commands = files.filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3).split(/[\\/]/))
    const rows = README.split('\n').filter((line) => line.startsWith('| `weft '))
    for (const words of commands) {
      const row = rows.find((line) => words.every((word) => new RegExp(`[ |]${word}\\b`).test(line)))
      assert.ok(row, `weft ${words.join(' ')} is not in the table`)
    }
  })
  it('sends those who come from git to commands and flags that there are', () => {
    const table = README.split(/^<!-- from git -->$/m)[1]?.split(/^## /m)[0] ?? ''
    const named = [...table.matchAll(/`weft ([^`]+)`/g)].map(([, words = '']) => words.split(' '))
    assert.ok(named.length > 20, `only ${named.length} commands named`)
    assertThere(named)
    const rows = table.split('\n').filter((line) => line.startsWith('| `git '))
    assert.equal(new Set(rows.map((row) => row.split(' | ')[0])).size, rows.length, 'a row is there twice')
    assert.equal(table.split('\n').filter((line) => line.startsWith('| in git ')).length, 1)
  })

  it('and so do the hints of the program', () => {
    const words = HINTS.flatMap((hint) => [
      ...hint.matchAll(/(?<!\.)weft ((?:[a-z]+|--?[a-z-]+|<\w+>)(?: (?:--?[a-z-]+|\w+))*)/gi),
    ])
    const named = words.map(([, said = '']) => said.split(' '))
    assert.ok(named.length > 50, `only ${named.length} commands named`)
    assertThere(named)
  })
})

/** Fails where words that stand behind `weft` are no command, or it has not the flags. */
function assertThere(named: readonly (readonly string[])[]): void {
  const { commands } = JSON.parse(readFileSync(join(ROOT, 'dist/cli/oclif.manifest.json'), 'utf8')) as Manifest
  for (const words of named) {
    const said = `weft ${words.join(' ')}`
    const command = commands[words.slice(0, 2).join(':')] ?? commands[words[0] ?? '']
    assert.ok(command, `there is no ${said}`)
    const flags = Object.values(command.flags).flatMap(({ name, char }) => [`--${name}`, ...(char ? [`-${char}`] : [])])
    for (const word of words) if (word.startsWith('-')) assert.ok(flags.includes(word), `there is no ${word}: ${said}`)
  }
}

describe('the map of the sources', () => {
  it('lists every error code with whose move it is, and no other', () => {
    const [, section = ''] = MAP.split(/^## Error codes$/m)
    const rows = [...(section.split(/^## /m)[0]?.matchAll(/^\| `([A-Z_]+)` +\| (\w+) +\|/gm) ?? [])]
    assert.equal(rows.length, Object.keys(CODES).length, 'a code is there twice')
    assert.deepEqual(Object.fromEntries(rows.map(([, code, blame]) => [code, blame])), { ...CODES })
  })

  it('names only files that are there', () => {
    const named = [...MAP.matchAll(/`((?:[\w-]+\/)+[\w.-]+\.(?:ts|mjs|bin|bundle))`/g)].map(([, path = '']) => path)
    assert.ok(named.length > 20, `only ${named.length} files named`)
    const missing = named.filter((path) => !existsSync(join(ROOT, 'src', path)) && !existsSync(join(ROOT, path)))
    assert.deepEqual(missing, [])
  })
})
