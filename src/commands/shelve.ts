import * as Flags from '@oclif/core/flags'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatDropped, formatShelf, formatShelve } from '../cli/format-pick.js'

/** `weft shelve`: unsaved changes are put aside. */
export default class Shelve extends BaseCommand {
  static override summary = 'Put unsaved changes aside'
  static override description =
    'New files are included, ignored ones are not. The work tree goes back to the version it stands on; weft unshelve brings the changes onto whatever it stands on then.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> src -m "half a parser"',
    '<%= config.bin %> <%= command.id %> --list',
    '<%= config.bin %> <%= command.id %> --drop 2',
  ]
  static override args = { paths: several('Files and directories; everything where none is named') }
  static override flags = {
    message: Flags.string({ char: 'm', helpValue: '<text>', summary: 'What the changes are about' }),
    list: Flags.boolean({ exclusive: ['drop', 'message'], summary: 'Show what is put aside' }),
    drop: Flags.integer({
      exclusive: ['message'],
      helpValue: '<n>',
      min: 1,
      summary: 'Forget what is put aside under this number; undo brings it back',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Shelve)
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { dropShelf, shelve, shelves } = await import('../worktree/shelve.js')
    if (flags.list) {
      await this.page()
      return await this.answerEach(shelves(work.state), formatShelf)
    }
    if (flags.drop !== undefined) return await this.answer(await dropShelf(work, flags.drop), formatDropped)
    const paths = args.paths?.map((path) => this.bytesIn(repo, path))
    const author = await this.author(repo.root)
    await this.answer(await shelve(work, { author, paths, message: flags.message }), formatShelve)
  }
}
