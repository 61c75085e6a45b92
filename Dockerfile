# The image of API, worker and migration: the locked packages, the source and the phone's app, nothing else.

FROM python:3.13-slim AS packages
COPY requirements.lock /tmp/
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r /tmp/requirements.lock

FROM node:24-slim AS phone
WORKDIR /build/mobile_contract/client
COPY mobile_contract/client/package.json mobile_contract/client/package-lock.json mobile_contract/client/.npmrc ./
RUN npm ci --ignore-scripts
COPY mobile_contract/openapi.json ../
COPY mobile_contract/client ./
RUN npm run types && npm run build

FROM python:3.13-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent saolou \
    && install --directory --owner saolou --group saolou --mode 0750 /data
COPY --from=packages /venv /venv
WORKDIR /app
COPY LICENSE pyproject.toml requirements.lock ./
COPY mobile_contract mobile_contract
COPY --from=phone /build/mobile_contract/client/dist mobile_contract/client/dist
COPY migrations migrations
COPY backend backend
COPY worker worker
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SAOLOU_VENV=none \
    SAOLOU_DATA_DIR=/data
RUN python -m compileall -q backend worker mobile_contract migrations
USER 10001:10001
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "-c", "python:backend.operations.gunicorn_conf", "backend.wsgi:app"]
