// JSON Schemas of the events, made from src/model/event.ts by the compiler itself: types and comments are the only source.
import { join } from 'node:path'
import { SyntaxKind } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'
import { ROOT } from './setup.mjs'

const MODEL = join(ROOT, 'src', 'model', 'event.ts')
const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

const DECIMAL = { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]+)?$' }
/** Types whose names say more than their shape. */
const NAMED = {
  Decimal: DECIMAL,
  EpochUs: { type: 'integer', minimum: 0 },
  Level: { type: 'array', prefixItems: [DECIMAL, DECIMAL], minItems: 2, maxItems: 2 },
}

/** One file for each type of event, and one for any event. */
export function eventSchemaFiles() {
  const api = new API({ cwd: ROOT })
  try {
    const [project] = api.updateSnapshot({ openProject: join(ROOT, 'tsconfig.json') }).getProjects()
    const model = new Model(project.program.getSourceFile(MODEL), project.checker)
    const events = model.eventNames().map((name) => ({ name, schema: model.event(name) }))
    const any = {
      $schema: DIALECT,
      $id: 'event.json',
      title: 'Event',
      description: 'Any event. `type` says which.',
      oneOf: events.map(({ schema }) => ({ $ref: schema.$id })),
    }
    return [any, ...events.map(({ schema }) => schema)].map((schema) => ({
      path: `docs/schemas/${schema.$id}`,
      text: `${JSON.stringify(schema, null, 2)}\n`,
    }))
  } finally {
    api.close()
  }
}

class Model {
  #declarations
  #checker

  constructor(source, checker) {
    this.#declarations = new Map(source.statements.filter(({ name }) => name).map((each) => [each.name.text, each]))
    this.#checker = checker
  }

  /** The members of the union that all events are. */
  eventNames() {
    return this.#declarations.get('MarketEvent').type.types.map(({ typeName }) => typeName.text)
  }

  event(name) {
    const members = this.#membersOf(name)
    const type = members.find((member) => member.name.text === 'type').type.literal.text
    const properties = members.map((member) => [member.name.text, this.#property(member)])
    const required = members.filter(({ postfixToken }) => postfixToken === undefined).map((member) => member.name.text)
    return {
      $schema: DIALECT,
      $id: `${type}.json`,
      title: name,
      description: this.#comment(this.#declarations.get(name)),
      type: 'object',
      properties: Object.fromEntries(properties),
      required,
    }
  }

  /** Its own, `type` first, then those of what it extends, then the rest. */
  #membersOf(name) {
    const { members, heritageClauses = [] } = this.#declarations.get(name)
    const inherited = [...heritageClauses].flatMap(({ types }) =>
      [...types].flatMap(({ expression }) => this.#membersOf(expression.text)),
    )
    const [first, ...rest] = members
    return first?.name.text === 'type' ? [first, ...inherited, ...rest] : [...inherited, ...members]
  }

  #property(member) {
    const description = this.#comment(member) ?? this.#commentOfType(member.type)
    const schema = this.#schema(member.type)
    return description === undefined ? schema : { description, ...schema }
  }

  #schema(node) {
    switch (node.kind) {
      case SyntaxKind.StringKeyword:
        return { type: 'string' }
      // Sequences and counts: the model has no other numbers.
      case SyntaxKind.NumberKeyword:
        return { type: 'integer' }
      case SyntaxKind.BooleanKeyword:
        return { type: 'boolean' }
      case SyntaxKind.LiteralType:
        return { const: node.literal.text }
      case SyntaxKind.ParenthesizedType:
        return this.#schema(node.type)
      case SyntaxKind.TypeOperator:
        return this.#schema(node.type)
      case SyntaxKind.ArrayType:
        return { type: 'array', items: this.#schema(node.elementType) }
      case SyntaxKind.UnionType:
        return this.#union(node)
      case SyntaxKind.IndexedAccessType:
        return this.#literals(node)
      case SyntaxKind.TypeReference:
        return this.#reference(node.typeName.text)
    }
    throw new Error(`src/model/event.ts: no schema for a type of the kind ${SyntaxKind[node.kind]}; add it here`)
  }

  #union(node) {
    const types = [...node.types].filter(({ kind }) => kind !== SyntaxKind.UndefinedKeyword)
    return types.length === 1 ? this.#schema(types[0]) : { enum: types.map((each) => this.#schema(each).const) }
  }

  #literals(node) {
    return {
      enum: this.#checker
        .getTypeFromTypeNode(node)
        .getTypes()
        .map(({ value }) => value)
        .sort(),
    }
  }

  #reference(name) {
    if (name in NAMED) return NAMED[name]
    return this.#schema(this.#declarations.get(name).type)
  }

  #commentOfType({ typeName }) {
    const declaration = this.#declarations.get(typeName?.text)
    return typeName?.text in NAMED || declaration === undefined ? undefined : this.#comment(declaration)
  }

  /** The text of a TSDoc comment, on one line. */
  #comment({ jsDoc }) {
    const parts = jsDoc?.at(-1)?.comment
    if (parts === undefined) return undefined
    const text = [...parts].map(({ name, text }) => `${name?.text ?? ''}${text ?? ''}`).join('')
    return text.replace(/\s+/g, ' ').trim()
  }
}
