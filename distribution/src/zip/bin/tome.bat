@echo off
rem Runs tome4j's program from the stand-alone distribution. Written without a Windows to try it on.
setlocal
java -XX:+UseSerialGC -Djava.awt.headless=true -Dfile.encoding=UTF-8 %TOME_JAVA_OPTIONS% -cp "%~dp0..\lib\*" io.tome4j.cli.Tome %*
exit /b %ERRORLEVEL%
