"""What the benchmarks hold Templar against: its predecessor's service as one would write it today.

Flask, psycopg2 with a pool, redis-py. Every request has its key looked up in the Redis hash sec_apikeys, counts against
a limit per user and minute in Redis, and is logged; templates are cached in Redis as the JSON that is answered.

    gunicorn --worker-class gthread --threads 4 app:app
"""

import json
import os
import time
import uuid
from contextlib import contextmanager
from functools import wraps

import psycopg2.extras
import psycopg2.pool
import redis
from flask import Flask, Response, g, request

psycopg2.extras.register_uuid()

app = Flask(__name__)
cache = redis.Redis(
    host=os.environ["REDIS_HOST"],
    port=int(os.environ["REDIS_PORT"]),
    password=os.environ["REDIS_PASS"],
)
# As many as threads; the pool closes what is above its minimum.
pool = psycopg2.pool.ThreadedConnectionPool(4, 4, os.environ["DATABASE_URL"])

RATE_LIMIT = int(os.environ["DEFAULT_RATE_LIMIT"])
CACHE_SECONDS = 30
COLUMNS = "templateid, name, description, content, created, modified"


@contextmanager
def database():
    connection = pool.getconn()
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        pool.putconn(connection)


def answer(body, status=200):
    return Response(body, status=status, mimetype="application/json")


def problem(status, title):
    return answer(json.dumps({"title": title, "status": status}), status)


def with_key(view):
    @wraps(view)
    def guarded(*args, **kwargs):
        try:
            key = str(uuid.UUID(request.headers.get("X-API-KEY", "")))
        except ValueError:
            return problem(401, "an API key is needed")
        owner = cache.hget("sec_apikeys", key)
        if owner is None:
            return problem(401, "the API key is not known")
        g.user = owner.decode().removeprefix("user: ")
        window = f"limit:{g.user}:{int(time.time()) // 60}"
        with cache.pipeline(transaction=False) as pipe:
            count, _ = pipe.incr(window).expire(window, 60).execute()
        if count > RATE_LIMIT:
            return problem(429, "too many requests")
        return view(*args, **kwargs)

    return guarded


def as_dict(row):
    templateid, name, description, content, created, modified = row
    return {
        "templateid": str(templateid),
        "name": name,
        "description": description,
        "content": content,
        "created": created.isoformat() + "Z",
        "modified": modified.isoformat() + "Z",
    }


@app.get("/ready")
def ready():
    return answer("{}")


@app.get("/v1/templates/<uuid:templateid>")
@with_key
def read(templateid):
    name = f"template:{templateid}"
    body = cache.get(name)
    if body is None:
        with database() as cursor:
            cursor.execute(f"SELECT {COLUMNS} FROM templates WHERE templateid = %s", (templateid,))
            row = cursor.fetchone()
        if row is None:
            return problem(404, "there is no such template")
        body = json.dumps(as_dict(row))
        cache.set(name, body, ex=CACHE_SECONDS)
    return answer(body)


@app.post("/v1/templates")
@with_key
def create():
    given = request.get_json()
    fields = [given.get(name, "") for name in ("name", "description", "content")]
    if not all(isinstance(field, str) for field in fields) or not fields[0]:
        return problem(422, "name, description and content are texts")
    with database() as cursor:
        cursor.execute(
            f"INSERT INTO templates (name, description, content) VALUES (%s, %s, %s) RETURNING {COLUMNS}", fields
        )
        row = cursor.fetchone()
    return answer(json.dumps(as_dict(row)), 201)


@app.get("/v1/templates")
@with_key
def page():
    limit = min(request.args.get("limit", 20, int), 100)
    offset = request.args.get("offset", 0, int)
    with database() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM templates ORDER BY created, templateid LIMIT %s OFFSET %s", (limit, offset)
        )
        rows = cursor.fetchall()
    return answer(json.dumps({"items": [as_dict(row) for row in rows]}))
