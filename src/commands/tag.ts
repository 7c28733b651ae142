import * as Flags from '@oclif/core/flags'
import { optional, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatRef, formatTags } from '../cli/format-refs.js'

/** `weft tag`: names of versions. */
export default class Tag extends BaseCommand {
  static override summary = 'List, make and delete tags'
  static override description =
    `A tag names one version for good, and is signed, as all that is written here.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> v1.3 -m "The third release"',
    '<%= config.bin %> <%= command.id %> v1.2 3f2a9c01',
    '<%= config.bin %> <%= command.id %> --delete v1.3',
  ]
  static override args = {
    name: optional('Name of the tag'),
    version: optional('The version; by default the one on which the work tree stands'),
  }
  static override flags = {
    message: Flags.string({ char: 'm', helpValue: '<text>', summary: 'What the tag says' }),
    delete: Flags.boolean({ char: 'd', summary: 'Delete the tag' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Tag)
    const { name, version: at } = args
    await using repo = await this.openRepository()
    if (name === undefined) {
      await this.answer(await repo.tags(), formatTags)
      return
    }
    const work = await this.openWorktree(repo)
    const { createTag, deleteTag } = await import('../worktree/branches.js')
    if (flags.delete) {
      await this.answer(await deleteTag(work, name), formatRef)
      return
    }
    const { message } = flags
    const author = message === undefined ? undefined : await this.author(repo.root)
    await this.answer(await createTag(work, name, { at, message, author }), formatRef)
  }
}
