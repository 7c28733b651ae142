/**
 * Messages from an editor: what it is opened with, what is read back, what happens to it when things go wrong.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { chosenEditor, forgetMessage, writeMessage } from '../src/cli/editor.js'
import { messageIn, messageTemplate } from '../src/cli/message.js'
import { readConfig } from '../src/repo/config.js'
import { holds } from './support/property.js'
import { temporary } from './support/temp.js'
import { ROOT, weft, weftFails, weftJson } from './support/weft.js'

describe('a message', () => {
  const read: [name: string, text: string, message: string][] = [
    ['a line', 'hello', 'hello\n'],
    ['comments left out', '# a\nhello\n#\n# b\n#\tc\nworld\n', 'hello\nworld\n'],
    ['a number sign that begins no comment', '#12: mended\n#x\n', '#12: mended\n#x\n'],
    ['white space at the ends of lines', 'a \t\n\n b\n', 'a\n\n b\n'],
    ['empty lines', '\n\n\na\n\n\n\nb\n\n\n', 'a\n\nb\n'],
    ['empty lines around a comment', 'a\n\n# x\n\nb\n', 'a\n\nb\n'],
    ['ends of lines as on Windows', '\uFEFFa\r\n# x\r\nb\r\n', 'a\nb\n'],
    ['nothing', '\n \n# a\n', ''],
  ]
  for (const [name, text, message] of read) {
    it(`is read from ${name}`, () => assert.equal(messageIn(text), message))
  }

  it('comes back from its template as it was, whatever the notes', () => {
    const line = fc.constantFrom('a', '#b', '# c', '', '  d', 'e ', '#')
    holds(
      fc.property(fc.array(line), fc.array(line), (lines, notes) => {
        const message = messageIn(lines.join('\n'))
        assert.equal(messageIn(messageTemplate(message, notes.join('\n'))), message)
      }),
    )
  })
})

describe('the editor', () => {
  const variables = ['WEFT_EDITOR', 'VISUAL', 'EDITOR']
  const before = variables.map((name) => [name, process.env[name]] as const)
  let root = ''
  let path = ''

  beforeEach(() => {
    for (const name of variables) delete process.env[name]
    root = temporary('editor root')
    mkdirSync(join(root, '.weft'))
    path = join(root, '.weft', 'COMMIT_MESSAGE')
  })
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })

  const config = () => readConfig(root, temporary('home'))
  const write = (message?: string) => writeMessage({ root, config: config(), message, notes: 'On branch main\n\nM  a' })

  it('is the first of WEFT_EDITOR, core.editor, VISUAL and EDITOR', () => {
    const env: NodeJS.ProcessEnv = { WEFT_EDITOR: 'one', VISUAL: 'three', EDITOR: 'four' }
    assert.equal(chosenEditor(config(), env), 'one')
    writeFileSync(join(root, '.weft', 'config'), '[core]\neditor = two -w\n')
    assert.equal(chosenEditor(config(), { ...env, WEFT_EDITOR: '' }), 'two -w')
    writeFileSync(join(root, '.weft', 'config'), '')
    assert.equal(chosenEditor(config(), { ...env, WEFT_EDITOR: undefined }), 'three')
    assert.equal(chosenEditor(config(), { EDITOR: 'four' }), 'four')
    assert.equal(chosenEditor(config(), {}), undefined)
  })

  it('opens what is there already and the notes, and what it leaves is the message', async () => {
    process.env['EDITOR'] = `f() { cp "$1" "${root}/seen"; echo changed > "$1"; }; f`
    assert.equal(await write('Merge x'), 'changed\n')
    const seen = readFileSync(join(root, 'seen'), 'utf8')
    assert.match(seen, /^Merge x\n\n# Say what .*\n#\n# On branch main\n#\n# M {2}a\n$/)
    assert.ok(existsSync(path))
    forgetMessage(root)
    assert.equal(existsSync(path), false)
  })

  it('may be a command with arguments, and a path with spaces is one argument', async () => {
    process.env['EDITOR'] = 'sed -i -e 1s/^/first/'
    assert.equal(await write(), 'first\n')
  })

  it('opens with what was kept from a commit that failed', async () => {
    process.env['EDITOR'] = 'sed -i -e 1s/^/first/'
    await write()
    process.env['EDITOR'] = 'sed -i -e 1s/$/,second/'
    assert.equal(await write('Merge x'), 'first,second\n')
    assert.match(readFileSync(path, 'utf8'), /^# This message was kept/m)
  })

  it('that leaves nothing calls the commit off', async () => {
    process.env['EDITOR'] = 'true'
    await assert.rejects(write(), { code: 'MESSAGE_EMPTY' })
    assert.equal(existsSync(path), false)
  })

  for (const [name, command, how] of [
    ['fails', 'f() { echo kept >> "$1"; return 1; }; f', /status 1/],
    ['is not there', 'no-such-editor', /status 127/],
    ['is killed', 'kill -9 $$', /SIGKILL/],
  ] as const) {
    it(`that ${name} is an error, and what was written is kept`, async () => {
      process.env['EDITOR'] = command
      await assert.rejects(write('begun'), { code: 'EDITOR_FAILED', message: how })
      assert.match(readFileSync(path, 'utf8'), name === 'fails' ? /^begun\n[\s\S]*kept\n$/ : /^begun\n/)
    })
  }

  it('is not guessed where there is no terminal', async () => {
    await assert.rejects(write(), { code: process.stdin.isTTY ? /./ : 'EDITOR_FAILED', hint: /-m <text>/ })
  })

  it('has interrupts to itself while it runs', async () => {
    let interrupted = 0
    const listener = (): void => void interrupted++
    process.once('SIGINT', listener)
    process.env['EDITOR'] = `f() { kill -INT ${process.pid}; sleep 0.1; echo done > "$1"; }; f`
    assert.equal(await write(), 'done\n')
    assert.equal(interrupted, 0)
    process.emit('SIGINT')
    assert.equal(interrupted, 1)
    process.emit('SIGINT')
    assert.equal(interrupted, 1)
  })
})

describe('weft commit without -m', () => {
  const who = { WEFT_AUTHOR_NAME: 'Ana', WEFT_AUTHOR_EMAIL: 'a@x' }
  let dir = ''
  const kept = (): boolean => existsSync(join(dir, '.weft', 'COMMIT_MESSAGE'))

  beforeEach(async () => {
    dir = temporary('commit')
    await weftJson(['init', dir])
    writeFileSync(join(dir, 'file'), 'one\n')
  })

  it('opens the editor with what will be committed, and leaves no file behind', async () => {
    const seen = join(temporary(), 'seen')
    const env = { ...who, EDITOR: `f() { cp "$1" ${seen}; echo Begin > "$1"; }; f` }
    const report = await weftJson<{ subject: string }>(['commit'], { cwd: dir, env })
    assert.equal(report.subject, 'Begin')
    assert.match(readFileSync(seen, 'utf8'), /^\n\n# Say [\s\S]*# On the branch main[\s\S]*file/)
    assert.equal(kept(), false)
  })

  it('does not hold the store while it waits', async () => {
    const env = {
      ...who,
      EDITOR: `f() { ${process.execPath} ${join(ROOT, 'bin/run.js')} branch && echo Begin > "$1"; }; f`,
    }
    const { status, stderr } = await weft(['commit'], { cwd: dir, env })
    assert.equal(status, 0, stderr)
    assert.doesNotMatch(stderr, /Waiting/)
  })

  it('opens no editor where there is nothing to say, or nobody to say it', async () => {
    const env = { ...who, EDITOR: 'false' }
    await weftJson(['commit', '-m', 'Begin'], { cwd: dir, env })
    assert.equal((await weftFails(['commit'], { cwd: dir, env })).code, 'NOTHING_TO_COMMIT')
    writeFileSync(join(dir, 'file'), 'two\n')
    const nobody = { EDITOR: 'false', HOME: temporary('nobody') }
    assert.equal((await weftFails(['commit'], { cwd: dir, env: nobody })).code, 'USER_UNKNOWN')
    assert.equal((await weftFails(['commit'], { cwd: dir, env })).code, 'EDITOR_FAILED')
    assert.equal((await weftFails(['commit'], { cwd: dir, env: who })).code, 'EDITOR_FAILED')
  })

  it('keeps the message of a commit that fails', async () => {
    const env = {
      ...who,
      EDITOR: `f() { mkfifo ${join(dir, 'file2')}; rm ${join(dir, 'file')}; echo Begin > "$1"; }; f`,
    }
    assert.equal((await weftFails(['commit'], { cwd: dir, env })).code, 'NOTHING_TO_COMMIT')
    assert.ok(kept())
  })
})
