FROM python:3.13-slim AS build
COPY requirements/run.txt .
# The environment has no pip of its own: what runs can install nothing.
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --no-compile --require-hashes --no-deps -r run.txt
COPY bot /app/bot
COPY handlers /app/handlers
COPY locales /app/locales
RUN /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /venv/lib /app

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin storybell \
    && install -d -m 0700 -o storybell /data
COPY --from=build /venv /venv
COPY --from=build /app /app
# Commands write where they are, so that is the volume; what lies there is no code.
WORKDIR /data
USER storybell
# Nothing is written but /data and /tmp, so the root may be read-only.
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 PORT=8000 \
    DATABASE_URL=sqlite:////data/storybell.db SPOOL_DIR=/data/spool BACKUP_DIR=/data/backups
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=5)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
