#!/usr/bin/env node
// Writes src/sage/fields.json, the compact table of request fields, from Sage's published Swagger 2.0:
//
//   node fields.mjs swagger-v3.1.json > src/sage/fields.json
//
// A key that ends in `!` is required on create (PUT takes the same fields, all optional). A leaf is its type, with a
// limit where one is known: `string<=25`, `string:a|b`, `integer:0..365`, `number`, `boolean`, `date`.
// The request models carry no limits for strings; they come from the response model of the same resource.
import { readFileSync } from 'node:fs'

const swagger = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const models = swagger.definitions

// Request definition (without post/put), and the response model with the limits.
const resources = [
  ['Contacts', 'Contact'],
  ['SalesInvoices', 'SalesInvoice'],
  ['SalesCreditNotes', 'SalesCreditNote'],
  ['ContactPayments', 'ContactPayment'],
  ['ContactAllocations', 'ContactAllocation'],
  ['Products', 'Product'],
  ['Services', 'Service'],
  ['StockItems', 'StockItem'],
  ['StockMovements', 'StockMovement'],
]

const model = (property) => {
  const name = (property?.$ref ?? property?.items?.$ref)?.split('/').pop()
  // The addresses of documents are declared without limits, but are copied from and to contacts' addresses.
  return models[name === 'SalesArtefactAddress' ? 'Address' : name]
}

function leaf(request, response) {
  if (request.format === 'date') return 'date'
  if (request.type === 'string') {
    const choice = request.enum ?? response?.enum
    if (choice) return `string:${choice.join('|')}`
    return response?.maxLength ? `string<=${response.maxLength}` : 'string'
  }
  if (request.type === 'integer' && request.maximum !== undefined) {
    return `integer:${request.minimum}..${request.maximum}`
  }
  return request.type
}

function kind(request, response) {
  if (request.type === 'object') return fields(request, model(response))
  if (request.type === 'array') return [kind(request.items, response?.items ?? response)]
  return leaf(request, response)
}

function fields(request, response) {
  const required = new Set(request.required ?? [])
  return Object.fromEntries(
    Object.entries(request.properties ?? {}).map(([name, property]) => [
      required.has(name) ? `${name}!` : name,
      kind(property, response?.properties?.[name]),
    ]),
  )
}

const table = {}
for (const [request, response] of resources) {
  const [[wrapper, body]] = Object.entries(models[`post${request}`].properties)
  table[wrapper] = fields(body, models[response])
}
console.log(JSON.stringify(table, null, 1))
