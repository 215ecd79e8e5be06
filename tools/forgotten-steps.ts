import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import type { Work } from "../src/store/unit.ts";

/** What is looked for: its type is read from this file. */
export type Sought = Work<unknown>;

/**
 * Refuses work that nobody runs, since its `yield*` was forgotten: a statement of its own, a condition, what is awaited, what a
 * callback answers to whoever does not look. It compiles, and a write would never happen, or a check always hold. Ends with status 1 when
 * there is any. Looks at the files that it is given, at all of src otherwise. By TypeScript 6, as dependency-cruiser: 7, which checks the types, has no such API.
 */
const root = fileURLToPath(new URL("../", import.meta.url));
const own = fileURLToPath(import.meta.url);
const given = process.argv.slice(2);
const files = (given.length > 0 ? given : globSync("src/**/*.ts", { cwd: root })).map((file) =>
  ts.sys.resolvePath(file),
);
const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [own] }, ts.sys, root);
const program = ts.createProgram([own, ...files], options);
const checker = program.getTypeChecker();
const sought = typeOfSought();

for (const file of files) {
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`there is no ${file}`);
  visit(source, source);
}

function typeOfSought(): ts.Type {
  const alias = program.getSourceFile(own)?.statements.find(ts.isTypeAliasDeclaration);
  if (alias === undefined) throw new Error("the type that is looked for is gone");
  return checker.getTypeFromTypeNode(alias.type);
}

function visit(node: ts.Node, source: ts.SourceFile): void {
  if (ts.isExpression(node) && isDropped(node) && isWork(node)) {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    console.error(`${source.fileName}:${line + 1}:${character + 1} is work that nobody runs: \`yield*\` is missing`);
    process.exitCode = 1;
  }
  ts.forEachChild(node, (child) => visit(child, source));
}

function isWork(node: ts.Expression): boolean {
  const type = checker.getTypeAtLocation(node);
  return (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Never)) === 0 && checker.isTypeAssignableTo(type, sought);
}

/** Whether nothing comes of a value that stands here but whether there is one. */
function isDropped(node: ts.Expression): boolean {
  const { parent } = node;
  if (ts.isExpressionStatement(parent) || ts.isVoidExpression(parent) || ts.isAwaitExpression(parent)) return true;
  if (ts.isPrefixUnaryExpression(parent)) return true;
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent) || ts.isDoStatement(parent)) return true;
  if (ts.isConditionalExpression(parent)) return parent.condition === node;
  if (ts.isBinaryExpression(parent)) return isDroppedBy(parent, node);
  return ts.isArrowFunction(parent) && parent.body === node && isVoid(parent);
}

/** An assignment keeps what is on its right; any other operator makes something else of it, or leaves it where it is. */
function isDroppedBy({ operatorToken, left }: ts.BinaryExpression, node: ts.Expression): boolean {
  const { kind } = operatorToken;
  const isAssignment = kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
  return left === node && !isAssignment;
}

/** Whether what an arrow function answers is looked at by nobody. */
function isVoid(arrow: ts.ArrowFunction): boolean {
  const signature = checker.getContextualType(arrow)?.getCallSignatures()[0];
  return signature !== undefined && (signature.getReturnType().flags & ts.TypeFlags.Void) !== 0;
}
